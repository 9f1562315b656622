import { Body, Controller, Get, Param, Post, Put, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  answerReplicated,
  BODY_PIPE,
  DescribePost,
  DescribePut,
  DescribeRead,
  Preconditions,
  whenCurrent,
  sendResource,
} from '../../../../platform/http/index.js';
import { ReplicationPrimary } from '../../../../protocols/replication/index.js';
import { DocumentUserService } from '../../document-user.service.js';
import { DOCUMENT_USER_IDS, parseDocumentUserId } from './document-user-id.js';
import { documentUserAnswer } from './user-answers.js';
import { documentUserSchema, type UserInput, userInputSchema } from '../../user.schemas.js';

@ApiTags('users')
@Controller('nosql/users')
export class DocumentUsersController {
  constructor(
    private readonly users: DocumentUserService,
    private readonly replication: ReplicationPrimary,
  ) {}

  @Get(':id')
  @DescribeRead({
    id: 'readDocumentUser',
    summary: 'Read one document user',
    resource: documentUserSchema,
    ids: DOCUMENT_USER_IDS,
    minSeq: true,
  })
  async read(@Param('id') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await whenCurrent(request, this.replication);
    sendResource(request, reply, this.users.find(parseDocumentUserId(id)));
  }

  @Post(':id')
  @DescribePost({
    id: 'createDocumentUser',
    summary: 'Create a document user under this id, in the document store only',
    resource: documentUserSchema,
    ids: DOCUMENT_USER_IDS,
    replicated: true,
    refusals: ['conflict', 'precondition-failed'],
  })
  async create(
    @Param('id') id: string,
    @Body({ schema: userInputSchema, pipes: [BODY_PIPE] }) input: UserInput,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const userId = parseDocumentUserId(id);
    const conditions = Preconditions.of(request);
    await answerReplicated(request, reply, this.replication, documentUserAnswer, (operation) =>
      this.users.create(userId, input, conditions, operation),
    );
  }

  @Put(':id')
  @DescribePut({
    id: 'replaceDocumentUser',
    summary: 'Replace a document user',
    resource: documentUserSchema,
    ids: DOCUMENT_USER_IDS,
    replicated: true,
    refusals: ['conflict'],
  })
  async replace(
    @Param('id') id: string,
    @Body({ schema: userInputSchema, pipes: [BODY_PIPE] }) input: UserInput,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const userId = parseDocumentUserId(id);
    const conditions = Preconditions.of(request);
    await answerReplicated(request, reply, this.replication, documentUserAnswer, (operation) =>
      this.users.replace(userId, input, conditions, operation),
    );
  }
}
