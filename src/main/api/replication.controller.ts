import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { AppError } from '../../kernel/index.js';
import { DescribeView } from '../../platform/http/index.js';
import { ReplicationPrimary, type ReplicaView } from '../../protocols/replication/index.js';

const HASH_EXAMPLE = '22c735ed02bb5b6b3beed91dd59caddf';
const positionSchema = z.object({
  epoch: z.int().min(0).meta({ example: 3 }),
  seq: z.int().min(0).meta({ example: 42 }),
  hash: z.string().meta({ example: HASH_EXAMPLE, description: 'hash over this record and all earlier ones' }),
});

const replicaSchema = z.object({
  name: z.string().meta({ example: '127.0.0.1:5071' }),
  state: z.enum(['in-sync', 'catching-up', 'snapshot', 'quarantined', 'unreachable']),
  position: z.int().min(0).nullable().meta({ example: 42, description: 'seq; null when unknown in this epoch' }),
  lag: z
    .int()
    .min(0)
    .nullable()
    .meta({ example: 0, description: 'number of records that are durable here and not yet on the replica' }),
  lastError: z.string().nullable().meta({ example: null }),
});

const statusSchema = z
  .object({
    epoch: z.int().min(0).meta({ example: 3 }),
    position: positionSchema,
    waiting: z
      .string()
      .nullable()
      .meta({ example: null, description: 'why writes are refused; null when they are accepted' }),
    writeConcern: z.enum(['all', 'majority', 'primary']),
    minInSync: z.int().min(0).meta({ example: 2, description: 'minimum number of in-sync replicas for a write' }),
    inSync: z.int().min(0).meta({ example: 4 }),
    replicas: z.array(replicaSchema),
  })
  .meta({ id: 'ReplicationStatus' });
type Status = z.infer<typeof statusSchema>;

const stateHashSchema = z
  .object({
    position: positionSchema,
    stateHash: z.string().meta({ example: 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9' }),
  })
  .meta({ id: 'StateHash' });

@ApiTags('replication')
@Controller('replication')
export class ReplicationController {
  constructor(private readonly replication: ReplicationPrimary) {}

  @Get('status')
  @DescribeView({
    id: 'readReplicationStatus',
    summary: 'Read the replication state of the app and of each replica',
    description:
      'The epoch is that of this process. A replica is in sync when it holds every write confirmed under `all`.',
    shown: statusSchema,
  })
  status(): Status {
    const { position, state, waiting, writeConcern, minInSync, names, handshakeErrors } = this.replication.status;
    const views: readonly ReplicaView[] = state?.replicas ?? [];
    return {
      epoch: state?.identity.epoch ?? position.epoch,
      position: { epoch: position.epoch, seq: position.seq, hash: position.hash },
      waiting: waiting ?? null,
      writeConcern,
      minInSync,
      inSync: views.filter(({ condition }) => condition === 'in-sync').length,
      replicas: names.map((name) => {
        const view = views.find((candidate) => candidate.name === name);
        const seq = view === undefined || view.ackedSeq === 0 ? null : view.ackedSeq;
        return {
          name,
          state: view?.condition ?? 'unreachable',
          position: seq,
          lag: seq === null ? null : Math.max(0, position.seq - seq),
          lastError: (view ? view.lastError : handshakeErrors[name]) ?? null,
        };
      }),
    };
  }

  @Get('state-hash')
  @DescribeView({
    id: 'readStateHash',
    summary: 'Read the SHA-256 of all documents, and the log position at which it was taken',
    description:
      'At the same log position every replica has the same hash. A replica reports its hash only to callers with the cluster secret.',
    shown: stateHashSchema,
    refusals: ['not-ready'],
  })
  async stateHash(): Promise<z.infer<typeof stateHashSchema>> {
    const { position, stateHash } = await this.replication.stateHash();
    if (position.seq === 0) {
      throw new AppError('not-ready', 'the documents have no history yet: try again after Retry-After', {
        retry: 'safe',
        retryAfterSeconds: 1,
      });
    }
    return { position: { epoch: position.epoch, seq: position.seq, hash: position.hash }, stateHash };
  }
}
