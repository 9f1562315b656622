import { Body, Controller, Post, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { BODY_PIPE, Describe, recording, sendAnswer } from '../../../../platform/http/index.js';
import { LoginService } from '../../login.service.js';
import { RegistrationCommands } from '../../registration.commands.js';
import { type Credentials, credentialsSchema } from '../../registration.schemas.js';
import { registrationAnswer } from './registration-answers.js';
import { REGISTER_OPERATION } from './registration-operations.js';
import { refuseInvalidToken, TAKES_USER_TOKEN } from './user-token.js';

@ApiTags('registration')
@Controller('user-commands/users')
export class UserCommandsController {
  constructor(
    private readonly registrations: RegistrationCommands,
    private readonly logins: LoginService,
  ) {}

  /** The queue of passwords bounds how many registrations are under way. */
  @Post('register')
  @RouteConfig({ ...TAKES_USER_TOKEN, hasOwnAdmission: true })
  @Describe(REGISTER_OPERATION)
  async register(
    @Body({ schema: credentialsSchema, pipes: [BODY_PIPE] }) credentials: Credentials,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await refuseInvalidToken(request, this.logins);
    sendAnswer(reply, await this.registrations.register(credentials, recording(request, registrationAnswer)));
  }
}
