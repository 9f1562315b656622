import { Body, Controller, Get, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { BODY_PIPE, Describe, sendResource } from '../../../../platform/http/index.js';
import { LoginService } from '../../login.service.js';
import { RegistrationQueries } from '../../registration.queries.js';
import { type EmailQuestion, emailQuestionSchema } from '../../registration.schemas.js';
import { parseEmail } from './email-parameter.js';
import { userView } from './registration-answers.js';
import { CHECK_OPERATION, CHECK_USER_OPERATION } from './registration-operations.js';
import { needUser, TAKES_USER_TOKEN } from './user-token.js';

@ApiTags('registration')
@Controller('user-queries/users')
export class UserQueriesController {
  constructor(
    private readonly users: RegistrationQueries,
    private readonly logins: LoginService,
  ) {}

  @Post('check_user')
  @HttpCode(200)
  @RouteConfig({ ...TAKES_USER_TOKEN, permission: 'read', isUnrecorded: true })
  @Describe(CHECK_USER_OPERATION)
  checkUser(@Body({ schema: emailQuestionSchema, pipes: [BODY_PIPE] }) { email }: EmailQuestion): object {
    const isTaken = this.users.findByEmail(email) !== undefined;
    return { can_register: !isTaken, message: isTaken ? 'the e-mail is registered already' : 'the e-mail is free' };
  }

  @Get('check/:correo')
  @RouteConfig(TAKES_USER_TOKEN)
  @Describe(CHECK_OPERATION)
  async check(
    @Param('correo') email: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await needUser(request, this.logins);
    sendResource(request, reply, userView(this.users.readByEmail(parseEmail(email, 'malformed-id'))));
  }
}
