import { Body, Controller, Post, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { admittedConcern, BODY_PIPE_WITH_ID, DescribePost, recording } from '../../../../platform/http/index.js';
import { ReplicationPrimary } from '../../../../protocols/replication/index.js';
import { answerTransaction } from '../../../transactions/index.js';
import { User2pcService } from '../../user-2pc.service.js';
import { user2pcAnswer } from './user-answers.js';
import { type UserInBothInput, userInBothInputSchema, userInBothSchema } from '../../user.schemas.js';

@ApiTags('users')
@Controller('sql_mongo/users')
export class Users2pcController {
  constructor(
    private readonly users: User2pcService,
    private readonly replication: ReplicationPrimary,
  ) {}

  @Post()
  @DescribePost({
    id: 'createUserInBoth',
    summary: 'Create a user in SQL and in the document store under one id: in both or in neither',
    description:
      'A two-phase commit. Without an `id` the user gets the next id that neither store has used. When either store ' +
      'already has the given id, nothing is written. X-Write-Concern applies to the prepare record of the documents, ' +
      'before anything is committed; X-Replicas-Acked counts the replicas that hold it. Location is the path of the SQL ' +
      'user; the path of the document user is /nosql/users/{id}. With 202, Location is the path of the operation.',
    resource: userInBothSchema,
    replicated: true,
    hasEtag: false,
    refusals: ['conflict', 'storage-busy', 'storage-read-only'],
  })
  async create(
    @Body({ schema: userInBothInputSchema, pipes: [BODY_PIPE_WITH_ID] }) input: UserInBothInput,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const concern = admittedConcern(request, this.replication);
    const outcome = await this.users.create(input, recording(request, user2pcAnswer), concern);
    await answerTransaction({ request, reply, confirmer: this.replication }, outcome);
  }
}
