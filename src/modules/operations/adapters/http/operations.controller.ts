import { Controller, Get, Param } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import { OperationService } from '../../operation.service.js';
import { type Operation, operationSchema } from '../../operation.schemas.js';

@ApiTags('operations')
@Controller('operations')
export class OperationsController {
  constructor(private readonly operations: OperationService) {}

  @Get(':id')
  @ApiOperation({
    summary: 'What became of a write',
    description: 'The id stands in X-Operation-Id of every answer to a write.',
  })
  @ApiParam({ name: 'id', description: 'an operation id', example: '019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77' })
  @ApiResponse({ status: 200, description: 'the operation with its answer', standardSchema: operationSchema })
  @ApiResponse({
    status: 404,
    description: 'no such write was done here, or it is forgotten: 24 h with an Idempotency-Key, 10 min without',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  })
  read(@Param('id') id: string): Operation {
    return this.operations.find(id);
  }
}
