import { Controller, Get, Param } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type Answer, Describe } from '../../../../platform/http/index.js';
import { ReplicationPrimary } from '../../../../protocols/replication/index.js';
import { OperationService } from '../../operation.service.js';
import type { Operation } from './operation.schemas.js';
import { operationView } from './operation-view.js';
import { READ_OPERATION } from './read-operation.js';

@ApiTags('operations')
@Controller('operations')
export class OperationsController {
  constructor(
    private readonly operations: OperationService<Answer>,
    private readonly replication: ReplicationPrimary,
  ) {}

  @Get(':id')
  @Describe(READ_OPERATION)
  read(@Param('id') id: string): Promise<Operation> {
    return operationView(this.operations.find(id), this.replication);
  }
}
