import { Controller, Get, Header } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { DescribeView } from '../../../../platform/http/index.js';
import { risingUuids, systemClock, systemRandom } from '../../../../platform/process/index.js';

const idSchema = z.string().meta({ example: '019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77' });

@ApiTags('ids')
@Controller('ids')
export class IdsController {
  private readonly next = risingUuids({ clock: systemClock, random: systemRandom });

  @Get('create')
  @Header('content-type', 'text/plain; charset=utf-8')
  @Header('cache-control', 'no-store')
  @DescribeView({
    id: 'createId',
    summary: 'Create a new id',
    description:
      'A UUID of version 7, unique across all processes. The ids of one process rise, even within a millisecond and after ' +
      'its clock was set back.',
    shown: idSchema,
    type: 'text/plain',
  })
  create(): string {
    return this.next();
  }
}
