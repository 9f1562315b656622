import { Body, Controller, Get, Param, Post, Put, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  BODY_PIPE,
  DescribePost,
  DescribePut,
  DescribeRead,
  parseId,
  Preconditions,
  recording,
  sendAnswer,
  sendResource,
} from '../../../../platform/http/index.js';
import { SqlUserService } from '../../sql-user.service.js';
import { type UserChange, userChangeSchema, type UserInput, userInputSchema, userSchema } from '../../user.schemas.js';
import { sqlUserAnswer } from './user-answers.js';

@ApiTags('users')
@Controller('sql/users')
export class SqlUsersController {
  constructor(private readonly users: SqlUserService) {}

  @Get(':id')
  @DescribeRead({ id: 'readSqlUser', summary: 'Read one SQL user', resource: userSchema })
  read(@Param('id') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    sendResource(request, reply, this.users.find(parseId(id)));
  }

  @Post()
  @DescribePost({ id: 'createSqlUser', summary: 'Create an SQL user, in SQL only', resource: userSchema })
  async create(
    @Body({ schema: userInputSchema, pipes: [BODY_PIPE] }) input: UserInput,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    sendAnswer(reply, await this.users.create(input, recording(request, sqlUserAnswer)));
  }

  @Put(':id')
  @DescribePut({
    id: 'changeSqlUser',
    summary: 'Update an SQL user',
    description: 'An absent field keeps its value; an empty body changes nothing.',
    resource: userSchema,
  })
  async change(
    @Param('id') id: string,
    @Body({ schema: userChangeSchema, pipes: [BODY_PIPE] }) input: UserChange,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const conditions = Preconditions.of(request);
    sendAnswer(reply, await this.users.change(parseId(id), input, conditions, recording(request, sqlUserAnswer)));
  }
}
