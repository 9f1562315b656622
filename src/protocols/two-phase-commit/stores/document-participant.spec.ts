import { beforeEach, describe, expect, it } from '@jest/globals';
import { DocumentWorld } from '../../../../test/support/document-world.js';
import { AppError } from '../../../kernel/index.js';
import type { TransactionHead, Vote } from '../ports.js';
import { DocumentParticipant, type DocumentWork, type PromiseConfirmer } from './document-participant.js';

const PREPARE_DEADLINE_MS = 1_000;
const BUMP: DocumentWork = { changes: [{ type: 'bump', collection: 'customers' }] };
const head = (id: string): TransactionHead => ({ id, kind: 'test', decidedBy: 'database', incarnation: 1 });

describe('the documents as a participant', () => {
  let world: DocumentWorld;
  let participant: DocumentParticipant;
  let asked: unknown[];
  let isConfirmed: boolean;
  let refusal: AppError | undefined;

  const replication: PromiseConfirmer = {
    admit: (concern) => {
      if (refusal) throw refusal;
      asked.push(['admit', concern]);
    },
    confirm: (seq, concern, withinMs) => {
      asked.push(['confirm', seq, concern, withinMs, world.store.prepared().map(({ id }) => id)]);
      return Promise.resolve({ isConfirmed });
    },
  };
  const codeOf = (vote: Vote): string | undefined =>
    vote.vote === 'no' && vote.reason instanceof AppError ? vote.reason.code : undefined;
  const fillDisk = (): void => {
    world.disk.capacityBytes = [...world.disk.image().values()].reduce((sum, bytes) => sum + bytes.length, 0);
  };

  beforeEach(async () => {
    world = new DocumentWorld();
    await world.open();
    await world.create('Ada');
    [asked, isConfirmed, refusal] = [[], true, undefined];
    participant = new DocumentParticipant(world.store, replication, { prepareDeadlineMs: PREPARE_DEADLINE_MS });
  });

  it('promise once the promise is durable here and confirmed under the concern of the work, and return its log position', async () => {
    const vote = await participant.prepare(head('t'), { ...BUMP, concern: 'majority' });

    expect(vote).toEqual({ vote: 'yes', position: '1.3' });
    expect(asked).toEqual([
      ['admit', 'majority'],
      ['confirm', 3, 'majority', PREPARE_DEADLINE_MS, ['t']],
    ]);
    expect(await participant.inDoubt()).toEqual([{ ...head('t'), position: '1.3', preparedAtMs: world.clock.nowMs() }]);
  });

  it('acknowledge a commit with the number of changed documents', async () => {
    await participant.prepare(head('t'), BUMP);
    await world.create('Grace');

    const acknowledgement = { position: '1.5', outcome: { bumped: { customers: 2 } } };
    expect([await participant.commit('t'), await participant.commit('t')]).toEqual([acknowledgement, acknowledgement]);
  });

  it('given a promise that replicas do not confirm in time, undo it durably before they vote no', async () => {
    isConfirmed = false;
    const vote = await participant.prepare(head('t'), BUMP);
    await world.reopenAfterPowerLoss();

    expect(vote).toMatchObject({ reason: { code: 'too-few-replicas', retry: 'safe', retryAfterSeconds: 1 } });
    expect(world.store.prepared()).toEqual([]);
    expect(world.store.carriedOut()).toEqual([{ ...head('t'), decision: 'aborted' }]);
  });

  it('given a promise that they can neither confirm nor undo, reject, so that the coordinator aborts', async () => {
    isConfirmed = false;
    const promising = participant.prepare(head('t'), BUMP);
    world.disk.beforeCall = ({ operation, path }) => {
      if (operation === 'synchronize' && path.includes('journal-')) fillDisk();
      return Promise.resolve();
    };

    await expect(promising).rejects.toMatchObject({ code: 'storage-full' });
    expect(world.store.prepared()).toHaveLength(1);
  });

  it.each([
    ['nothing can be confirmed now', 'too-few-replicas', () => (refusal = tooFew())],
    ['the disk is full', 'storage-full', fillDisk],
  ])('given that %s, vote no and write nothing', async (_, code, hinder) => {
    const { position } = world.store;
    hinder();

    expect(codeOf(await participant.prepare(head('t'), BUMP))).toBe(code);
    expect([world.store.position, world.store.prepared()]).toEqual([position, []]);
  });

  it('given a failed disk, leave the promise uncertain', async () => {
    world.disk.plan({ nth: 1, operation: 'synchronize', in: 'journal-', code: 'EIO' });

    await expect(participant.prepare(head('t'), BUMP)).rejects.toMatchObject({ code: 'outcome-unknown' });
  });

  it.each([
    [1, 'conflict', 'never', 'exists'],
    [7, 'conflict', 'safe', 'not decided yet'],
  ])(
    'given document %i that exists or is reserved, vote no with the code %s and retry %s',
    async (id, code, retry, why) => {
      const create = (at: number): DocumentWork => {
        return { changes: [{ type: 'create', collection: 'customers', id: at, fields: {} }] };
      };
      await participant.prepare(head('other'), create(7));

      const vote = await participant.prepare(head('t'), create(id));

      expect(vote).toMatchObject({ reason: { code, retry, message: expect.stringContaining(why) } });
    },
  );
});

function tooFew(): AppError {
  return new AppError('too-few-replicas', 'one replica is in sync', { retry: 'safe' });
}
