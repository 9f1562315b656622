import { Body, Controller, Get, Header, HttpCode, Post, Req } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { BODY_PIPE, Describe } from '../../../../platform/http/index.js';
import { LoginService } from '../../login.service.js';
import { type Login, loginSchema } from '../../registration.schemas.js';
import { CHECK_TOKEN_OPERATION, ISSUE_TOKEN_OPERATION } from './registration-operations.js';
import { needToken, TAKES_USER_TOKEN } from './user-token.js';

@ApiTags('registration')
@Controller('token')
export class TokenController {
  constructor(private readonly logins: LoginService) {}

  /** No record is kept of a token: whoever reads the record could use it. */
  @Post()
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @RouteConfig({ ...TAKES_USER_TOKEN, permission: 'read', isUnrecorded: true, hasOwnAdmission: true })
  @Describe(ISSUE_TOKEN_OPERATION)
  async issue(@Body({ schema: loginSchema, pipes: [BODY_PIPE] }) login: Login): Promise<object> {
    const { token, expiresInSeconds } = await (login === undefined
      ? this.logins.tokenToRegister()
      : this.logins.login(login));
    return { token, expires_in: expiresInSeconds };
  }

  @Get()
  @RouteConfig(TAKES_USER_TOKEN)
  @Describe(CHECK_TOKEN_OPERATION)
  async check(@Req() request: FastifyRequest): Promise<object> {
    await needToken(request, this.logins);
    return { valido: true };
  }
}
