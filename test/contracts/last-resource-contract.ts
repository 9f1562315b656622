import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { isAppError } from '../../src/kernel/index.js';
import type {
  Decision,
  DecisionDetails,
  LastResource,
  TransactionId,
} from '../../src/protocols/two-phase-commit/index.js';
import { alsoAfterReopening } from '../support/reopened.js';

export interface LastResourceUnderTest<Work> {
  /** The open last resource: another one after `reopen`. */
  lastResource(): LastResource<Work, unknown>;
  /** Work that succeeds, and whose effect differs from that of all other work. */
  work(): Work;
  /** The result of `commit` for this work. */
  resultOf(work: Work): unknown;
  /** Work that fails for good after it has written something. */
  refusedWork(): Work;
  /** How often a reader sees the effect of this work, or of a part of it. */
  timesDone(work: Work): Promise<number>;
  /** Closes or crashes it, and opens its disk again. */
  reopen(): Promise<void>;
  close(): Promise<void>;
}

const AT_ONCE = 50;
const NEVER_LIVED = 2 ** 53 - 1;

/** The behaviour of every last resource. `open` returns one without rows. */
export function describeLastResourceContract<Work>(
  name: string,
  open: () => Promise<LastResourceUnderTest<Work>>,
): void {
  describe(`${name} as the last resource`, () => {
    let underTest: LastResourceUnderTest<Work>;
    let count = 0;

    const resource = (): LastResource<Work, unknown> => underTest.lastResource();
    const details = (parts: Partial<DecisionDetails> = {}): DecisionDetails => {
      count += 1;
      const number = String(count).padStart(12, '0');
      return {
        id: `01890000-0000-7000-8000-${number}`,
        kind: 'contract',
        decidedBy: resource().id,
        incarnation: resource().incarnation,
        by: 'coordinator',
        begunAtMs: 1_800_000_000_000 + count,
        preparedAtMs: 1_800_000_000_002 + count,
        positions: { documents: `3.${count}` },
        ...parts,
      };
    };
    const rowOf = async (id: TransactionId): Promise<Decision | undefined> =>
      (await resource().decisions([id])).get(id);
    const vetoed = async (asked: DecisionDetails): Promise<Decision | undefined> =>
      (await resource().abort([{ ...asked, by: 'recovery' }])).get(asked.id);

    beforeEach(async () => {
      underTest = await open();
    });

    afterEach(() => underTest.close());

    it('commits the work together with its row, and returns the result', async () => {
      const work = underTest.work();
      const asked = details();

      expect(await resource().commit(asked, work)).toEqual({ decision: 'committed', result: underTest.resultOf(work) });
      await alsoAfterReopening(underTest, async () => {
        expect([await rowOf(asked.id), await underTest.timesDone(work)]).toEqual(['committed', 1]);
      });
    });

    it('given work that fails, writes neither row nor work, and rejects definitely', async () => {
      const work = underTest.refusedWork();
      const asked = details();
      const before = await underTest.timesDone(work);
      const error: unknown = await resource()
        .commit(asked, work)
        .then(
          () => 'no error',
          (reason: unknown) => reason,
        );

      // The class does not count: an error of a native module belongs to the realm that loaded the module first.
      expect(error).toHaveProperty('message');
      expect(isAppError(error, 'outcome-unknown')).toBe(false);
      await alsoAfterReopening(underTest, async () => {
        expect([await rowOf(asked.id), await underTest.timesDone(work)]).toEqual([undefined, before]);
      });
    });

    it('given work that fails, refuses only that work and commits the transactions beside it', async () => {
      const refused = details();
      const works = [underTest.work(), underTest.work()];
      const outcomes = await Promise.allSettled([
        resource().commit(details(), works[0]!),
        resource().commit(refused, underTest.refusedWork()),
        resource().commit(details(), works[1]!),
      ]);

      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect(await Promise.all(works.map((work) => underTest.timesDone(work)))).toEqual([1, 1]);
      expect(await vetoed(refused)).toBe('aborted');
    });

    it('given the row aborted first, writes nothing of the later work', async () => {
      const work = underTest.work();
      const asked = details();

      expect(await vetoed(asked)).toBe('aborted');
      expect(await resource().commit(asked, work)).toEqual({ decision: 'aborted' });
      await alsoAfterReopening(underTest, async () => {
        expect([await rowOf(asked.id), await underTest.timesDone(work)]).toEqual(['aborted', 0]);
      });
    });

    it('given the commit first, keeps its row and its work after an abort', async () => {
      const work = underTest.work();
      const asked = details();
      await resource().commit(asked, work);

      expect(await vetoed(asked)).toBe('committed');
      await alsoAfterReopening(underTest, async () => {
        expect([await rowOf(asked.id), await underTest.timesDone(work)]).toEqual(['committed', 1]);
      });
    });

    it(`given ${AT_ONCE} races of a commit against an abort, decides each once and answers both sides alike`, async () => {
      const races = Array.from({ length: AT_ONCE }, (_, index) => {
        return { asked: details(), work: underTest.work(), isAbortFirst: index % 2 === 0 };
      });
      const settled = await Promise.all(
        races.map(async ({ asked, work, isAbortFirst }) => {
          const early = isAbortFirst ? vetoed(asked) : undefined;
          const committing = resource().commit(asked, work);
          const [{ decision }, row] = await Promise.all([committing, early ?? vetoed(asked)]);
          return [decision, row];
        }),
      );

      expect(settled.filter(([committer, vetoer]) => committer !== vetoer)).toEqual([]);
      await alsoAfterReopening(underTest, async () => {
        const rows = await resource().decisions(races.map(({ asked }) => asked.id));
        expect(races.map(({ asked }) => rows.get(asked.id))).toEqual(settled.map(([decision]) => decision));
        const done = await Promise.all(races.map(({ work }) => underTest.timesDone(work)));
        expect(done).toEqual(settled.map(([decision]) => (decision === 'committed' ? 1 : 0)));
      });
    });

    it('given many aborts at once, writes the missing rows and returns all decisions', async () => {
      const [committed, aborted, open] = [details(), details(), details()];
      await resource().commit(committed, underTest.work());
      await vetoed(aborted);
      const offered = [committed, aborted, open];
      const expected = ['committed', 'aborted', 'aborted'];

      const rows = await resource().abort(offered);
      expect(offered.map(({ id }) => rows.get(id))).toEqual(expected);
      expect(rows.size).toBe(3);
      await alsoAfterReopening(underTest, async () => {
        expect(await Promise.all(offered.map(({ id }) => rowOf(id)))).toEqual(expected);
      });
    });

    it('given no aborts, returns no decisions', async () => {
      expect((await resource().abort([])).size).toBe(0);
    });

    it('given an operator’s decision, writes it if there is no row, and obeys an existing row', async () => {
      const [asked, other, committed] = [details(), details(), details()];
      await resource().commit(committed, underTest.work());
      const by = { by: 'operator', reason: 'the other copy is lost' } as const;

      expect(await resource().decide({ ...asked, ...by }, 'committed')).toBe('committed');
      expect(await resource().decide({ ...other, ...by }, 'aborted')).toBe('aborted');
      expect(await resource().decide({ ...asked, ...by }, 'aborted')).toBe('committed');
      expect(await resource().decide({ ...committed, ...by }, 'aborted')).toBe('committed');
      await alsoAfterReopening(underTest, async () => {
        const ids = [asked.id, other.id, committed.id];
        expect(await Promise.all(ids.map((id) => rowOf(id)))).toEqual(['committed', 'aborted', 'committed']);
      });
    });

    it('given an id without a row, returns no decision', async () => {
      expect((await resource().decisions([details().id])).size).toBe(0);
      expect((await resource().decisions([])).size).toBe(0);
    });

    it('lists incomplete rows, oldest first, with all their details', async () => {
      const first = details({ operationId: 'operation-1', positions: { documents: '3.9', other: '' } });
      const second = details({ by: 'recovery', reason: 'no coordinator was deciding it' });
      const third = details();
      await resource().commit(first, underTest.work());
      await resource().abort([second]);
      await resource().commit(third, underTest.work());

      await alsoAfterReopening(underTest, async () => {
        const rows = await resource().incomplete();
        expect(rows).toEqual([
          expect.objectContaining({ ...first, decision: 'committed' }),
          expect.objectContaining({ ...second, decision: 'aborted' }),
          expect.objectContaining({ ...third, decision: 'committed' }),
        ]);
        expect(rows.every((row) => row.decidedAtMs > 0 && row.completedAtMs === undefined)).toBe(true);
      });
    });

    it('given a completion, no longer lists the row, at once and durably with the next commit', async () => {
      const [done, left] = [details(), details()];
      await resource().commit(done, underTest.work());
      const acknowledgements = { documents: { position: '3.9', outcome: { customersUpdated: 2 } } };
      resource().completed(done.id, acknowledgements);
      expect(await resource().incomplete()).toEqual([]);
      resource().completed(done.id, acknowledgements);
      await resource().commit(left, underTest.work());

      await alsoAfterReopening(underTest, async () => {
        expect((await resource().incomplete()).map((row) => row.id)).toEqual([left.id]);
        expect(await rowOf(done.id)).toBe('committed');
      });
    });

    it(`commits ${AT_ONCE} at once`, async () => {
      const works = Array.from({ length: AT_ONCE }, () => underTest.work());
      const asked = works.map(() => details());
      await Promise.all(works.map((work, index) => resource().commit(asked[index]!, work)));

      await alsoAfterReopening(underTest, async () => {
        expect((await resource().decisions(asked.map((each) => each.id))).size).toBe(AT_ONCE);
        expect(await Promise.all(works.map((work) => underTest.timesDone(work)))).toEqual(works.map(() => 1));
      });
    });

    it('keeps its id in each incarnation, and knows exactly its own incarnations', async () => {
      const { id, incarnation } = resource();
      await underTest.reopen();

      expect(resource().id).toBe(id);
      expect([Number.isSafeInteger(incarnation), incarnation >= 0]).toEqual([true, true]);
      expect(resource().incarnation).not.toBe(incarnation);
      expect([
        await resource().knowsIncarnation(incarnation),
        await resource().knowsIncarnation(resource().incarnation),
      ]).toEqual([true, true]);
      expect(await resource().knowsIncarnation(NEVER_LIVED)).toBe(false);
    });
  });
}
