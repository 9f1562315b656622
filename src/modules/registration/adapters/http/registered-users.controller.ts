import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  Describe,
  JSON_CONTENT_TYPE,
  nextPageLink,
  PAGE_QUERIES,
  parseUuidPage,
  type QueryNames,
} from '../../../../platform/http/index.js';
import { LoginService } from '../../login.service.js';
import { RegistrationQueries } from '../../registration.queries.js';
import { parseEmail } from './email-parameter.js';
import { userView } from './registration-answers.js';
import { FIND_OPERATION, LIST_OPERATION } from './registration-operations.js';
import { needUser, TAKES_USER_TOKEN } from './user-token.js';

export const REGISTRATION_QUERIES: QueryNames = { '/user-db/users': PAGE_QUERIES, '/users': ['correo'] };

@ApiTags('registration')
@Controller()
export class RegisteredUsersController {
  constructor(
    private readonly users: RegistrationQueries,
    private readonly logins: LoginService,
  ) {}

  @Get('user-db/users')
  @RouteConfig(TAKES_USER_TOKEN)
  @Describe(LIST_OPERATION)
  async list(@Query() query: unknown, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await needUser(request, this.logins);
    const { limit, after } = parseUuidPage(query);
    const { users, hasMore, total } = this.users.page({ limit, after });
    const last = users.at(-1);
    if (hasMore && last) reply.header('link', nextPageLink('/user-db/users', query, limit, last.id));
    const body = JSON.stringify(users.map(userView));
    reply.header('x-total-count', total).header('content-type', JSON_CONTENT_TYPE).send(body);
  }

  @Get('users')
  @RouteConfig(TAKES_USER_TOKEN)
  @Describe(FIND_OPERATION)
  find(@Query('correo') email: unknown): object {
    const found = this.users.findByEmail(parseEmail(email, 'validation-failed'));
    return found === undefined ? {} : userView(found);
  }
}
