import { Controller, Get, Param } from '@nestjs/common';
import { ApiParam, ApiTags } from '@nestjs/swagger';
import { type Answer, DescribeView } from '../../../../platform/http/index.js';
import { ReplicationPrimary } from '../../../../protocols/replication/index.js';
import { OperationService } from '../../operation.service.js';
import { type Operation, operationSchema } from './operation.schemas.js';
import { operationView } from './operation-view.js';

@ApiTags('operations')
@Controller('operations')
export class OperationsController {
  constructor(
    private readonly operations: OperationService<Answer>,
    private readonly replication: ReplicationPrimary,
  ) {}

  @Get(':id')
  @DescribeView({
    summary: 'What became of a write',
    description:
      'The id stands in X-Operation-Id of every answer to a write. Forgotten, and then unknown, 24 h after a write with an ' +
      'Idempotency-Key and 10 min after one without. `committed` is durable at the app; `confirmed` says whether as ' +
      'many replicas hold it by now as the write concern of the server asks for, and X-Replicas-Acked how many do. Of a ' +
      'transaction replicas hold the promise. It is `running` until it is decided, and known as `aborted` for a while.',
    shown: operationSchema,
    refusals: [404],
  })
  @ApiParam({ name: 'id', description: 'an operation id', example: '019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77' })
  read(@Param('id') id: string): Promise<Operation> {
    return operationView(this.operations.find(id), this.replication);
  }
}
