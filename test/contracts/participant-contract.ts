import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { isAppError } from '../../src/kernel/index.js';
import type { Participant, TransactionHead, TransactionId, Vote } from '../../src/protocols/two-phase-commit/index.js';
import { decideParticipant } from '../../src/kernel/index.js';
import { departuresFrom } from '../support/participant-departures.js';
import { alsoAfterReopening } from '../support/reopened.js';

export interface ParticipantUnderTest<Work> {
  /** The open participant: another one after `reopen`. */
  participant(): Participant<Work>;
  /** Work that can be promised, and whose effect differs from that of all other work. */
  work(): Work;
  /** Work that cannot be promised now. Present exactly when `refuses` is set. */
  impossibleWork?(): Work;
  /** How often a reader sees the effect of this work. */
  timesDone(work: Work): Promise<number>;
  /** Closes or crashes it, and opens its disk again. */
  reopen(): Promise<void>;
  close(): Promise<void>;
}

/** Abilities that not every store has. */
export interface ParticipantTraits {
  /** Some work cannot be promised. */
  readonly refuses: boolean;
  /** It implements `carriedOut`. */
  readonly remembers: boolean;
  /** It implements `mayHavePrepared`. */
  readonly rulesOut: boolean;
}

const AT_ONCE = 50;

/** The behaviour of every participant. `open` returns one with an empty store. */
export function describeParticipantContract<Work>(
  name: string,
  traits: ParticipantTraits,
  open: () => Promise<ParticipantUnderTest<Work>>,
): void {
  describe(`${name} as a participant`, () => {
    let underTest: ParticipantUnderTest<Work>;
    let count = 0;

    const head = (): TransactionHead => {
      count += 1;
      const number = String(count).padStart(12, '0');
      return {
        id: `01890000-0000-7000-8000-${number}`,
        kind: 'contract',
        decidedBy: 'contract-database',
        incarnation: 3,
      };
    };
    const participant = (): Participant<Work> => underTest.participant();
    const inDoubt = async (): Promise<readonly TransactionId[]> =>
      (await participant().inDoubt()).map((transaction) => transaction.id);
    const promised = async (work: Work): Promise<TransactionHead> => {
      const asked = head();
      expect(await participant().prepare(asked, work)).toMatchObject({ vote: 'yes' });
      return asked;
    };

    beforeEach(async () => {
      underTest = await open();
    });

    afterEach(() => underTest.close());

    it('keeps a promise with the head of its transaction, and shows no effect of the work', async () => {
      const work = underTest.work();
      const asked = head();
      const vote = await participant().prepare(asked, work);

      await alsoAfterReopening(underTest, async () => {
        const found = await participant().inDoubt();
        expect(found).toEqual([expect.objectContaining(asked)]);
        expect(found[0]?.position).toBe(vote.vote === 'yes' ? vote.position : 'a yes');
        expect(await underTest.timesDone(work)).toBe(0);
      });
    });

    it('given a commit, carries out the work and is no longer in doubt', async () => {
      const work = underTest.work();
      const { id } = await promised(work);
      await participant().commit(id);

      await alsoAfterReopening(underTest, async () => {
        expect([await underTest.timesDone(work), await inDoubt()]).toEqual([1, []]);
      });
    });

    it('given an abort, changes nothing and is no longer in doubt', async () => {
      const work = underTest.work();
      const { id } = await promised(work);
      await participant().abort(id);

      await alsoAfterReopening(underTest, async () => {
        expect([await underTest.timesDone(work), await inDoubt()]).toEqual([0, []]);
      });
    });

    it('keeps a promise over a restart, for either decision', async () => {
      const works = [underTest.work(), underTest.work()];
      const [first, second] = [await promised(works[0]!), await promised(works[1]!)];
      await underTest.reopen();
      await participant().commit(first.id);
      await participant().abort(second.id);

      await alsoAfterReopening(underTest, async () => {
        expect(await Promise.all(works.map((work) => underTest.timesDone(work)))).toEqual([1, 0]);
        expect(await inDoubt()).toEqual([]);
      });
    });

    it('given a repeated prepare, promises once', async () => {
      const work = underTest.work();
      const asked = await promised(work);

      expect(await participant().prepare(asked, work)).toMatchObject({ vote: 'yes' });
      await underTest.reopen();
      expect(await participant().prepare(asked, work)).toMatchObject({ vote: 'yes' });
      expect(await inDoubt()).toEqual([asked.id]);
    });

    it('given a repeated commit, changes nothing and returns the same acknowledgement', async () => {
      const work = underTest.work();
      const { id } = await promised(work);
      const acknowledgement = await participant().commit(id);

      expect(await participant().commit(id)).toEqual(acknowledgement);
      await underTest.reopen();
      await participant().commit(id);
      expect([await underTest.timesDone(work), await inDoubt()]).toEqual([1, []]);
    });

    it('given a repeated abort, changes nothing', async () => {
      const work = underTest.work();
      const { id } = await promised(work);
      await participant().abort(id);
      await participant().abort(id);
      await underTest.reopen();
      await participant().abort(id);

      expect([await underTest.timesDone(work), await inDoubt()]).toEqual([0, []]);
    });

    it('given a decision of an unknown transaction, resolves', async () => {
      await participant().commit(head().id);
      await participant().abort(head().id);

      await alsoAfterReopening(underTest, async () => {
        expect(await inDoubt()).toEqual([]);
      });
    });

    it('given a prepare after its abort, promises nothing', async () => {
      const works = [underTest.work(), underTest.work()];
      const [never, aborted] = [head(), await promised(works[1]!)];
      await participant().abort(never.id);
      await participant().abort(aborted.id);

      expect(await participant().prepare(never, works[0]!)).toMatchObject({ vote: 'no' });
      expect(await participant().prepare(aborted, works[1]!)).toMatchObject({ vote: 'no' });
      await alsoAfterReopening(underTest, async () => {
        expect(await Promise.all(works.map((work) => underTest.timesDone(work)))).toEqual([0, 0]);
        expect(await inDoubt()).toEqual([]);
      });
    });

    it('given an abort during its prepare, is not in doubt, whichever is first', async () => {
      const works = Array.from({ length: 10 }, () => underTest.work());
      await Promise.all(
        works.map(async (work, index) => {
          const asked = head();
          const isAbortFirst = index % 2 === 0;
          const aborting = isAbortFirst ? participant().abort(asked.id) : undefined;
          const preparing = participant().prepare(asked, work);
          await Promise.allSettled([preparing, aborting ?? participant().abort(asked.id)]);
        }),
      );

      await alsoAfterReopening(underTest, async () => {
        expect(await inDoubt()).toEqual([]);
        expect(await Promise.all(works.map((work) => underTest.timesDone(work)))).toEqual(works.map(() => 0));
      });
    });

    it('follows the table after every sequence of messages', async () => {
      const obedient = {
        ...{ participant: participant(), head, work: () => underTest.work() },
        timesDone: (work: Work) => underTest.timesDone(work),
      };
      expect(await departuresFrom(decideParticipant, obedient)).toEqual([]);
    });

    it('given both decisions, keeps the first', async () => {
      const works = [underTest.work(), underTest.work()];
      const [committed, aborted] = [await promised(works[0]!), await promised(works[1]!)];
      await participant().commit(committed.id);
      await participant().abort(aborted.id);
      await Promise.allSettled([participant().abort(committed.id), participant().commit(aborted.id)]);

      await alsoAfterReopening(underTest, async () => {
        expect(await Promise.all(works.map((work) => underTest.timesDone(work)))).toEqual([1, 0]);
        expect(await inDoubt()).toEqual([]);
      });
    });

    it('has exactly the declared abilities', () => {
      const { carriedOut, mayHavePrepared } = participant();
      const isThere = [underTest.impossibleWork, carriedOut, mayHavePrepared].map((member) => member !== undefined);
      expect(isThere).toEqual([traits.refuses, traits.remembers, traits.rulesOut]);
    });

    only(traits.refuses)('given work that it cannot promise, gives a reason and keeps nothing', async () => {
      const impossible = underTest.impossibleWork!();
      const before = await underTest.timesDone(impossible);
      const vote = await participant().prepare(head(), impossible);

      expect(vote.vote === 'no' && isAppError(vote.reason)).toBe(true);
      await alsoAfterReopening(underTest, async () => {
        expect([await underTest.timesDone(impossible), await inDoubt()]).toEqual([before, []]);
      });
    });

    it('given several transactions with the same work, can keep every promise that it gives', async () => {
      const work = underTest.work();
      const asked = [head(), head(), head()];
      const votes = await Promise.all(asked.map((each) => participant().prepare(each, work)));
      const yes = asked.filter((_, index) => votes[index]?.vote === 'yes');
      await Promise.all(yes.map(({ id }) => participant().commit(id)));

      expect(yes.length).toBeGreaterThan(0);
      await alsoAfterReopening(underTest, async () => {
        expect([await underTest.timesDone(work), await inDoubt()]).toEqual([yes.length, []]);
      });
    });

    it('given an abort, can promise the same work to another transaction', async () => {
      const work = underTest.work();
      const { id } = await promised(work);
      await participant().abort(id);
      const again = await promised(work);
      await participant().commit(again.id);

      expect(await underTest.timesDone(work)).toBe(1);
    });

    it('lists transactions in doubt, oldest first', async () => {
      const asked: TransactionId[] = [];
      for (let i = 0; i < 12; i += 1) asked.push((await promised(underTest.work())).id);
      await participant().commit(asked[3]!);
      const left = asked.filter((_, index) => index !== 3);

      await alsoAfterReopening(underTest, async () => {
        expect(await inDoubt()).toEqual(left);
      });
    });

    it(`serves ${AT_ONCE} transactions at once`, async () => {
      const works = Array.from({ length: AT_ONCE }, () => underTest.work());
      const asked = works.map(() => head());
      const votes = await Promise.all(works.map((work, index) => participant().prepare(asked[index]!, work)));
      expect(votes.map(({ vote }) => vote)).toEqual(works.map((): Vote['vote'] => 'yes'));
      await Promise.all(
        asked.map(({ id }, index) => (index % 2 === 0 ? participant().commit(id) : participant().abort(id))),
      );

      await alsoAfterReopening(underTest, async () => {
        const done = await Promise.all(works.map((work) => underTest.timesDone(work)));
        expect([done, await inDoubt()]).toEqual([works.map((_, index) => (index % 2 === 0 ? 1 : 0)), []]);
      });
    });

    only(traits.remembers)(
      'with `carriedOut`, lists the decision of each promise, without those in doubt',
      async () => {
        const [committed, aborted] = [await promised(underTest.work()), await promised(underTest.work())];
        await promised(underTest.work());
        await participant().commit(committed.id);
        await participant().abort(aborted.id);

        await alsoAfterReopening(underTest, async () => {
          expect(await participant().carriedOut!()).toEqual([
            expect.objectContaining({ ...committed, decision: 'committed' }),
            expect.objectContaining({ ...aborted, decision: 'aborted' }),
          ]);
        });
      },
    );

    only(traits.rulesOut)('with `mayHavePrepared`, does not rule out a promise that it gave', async () => {
      const positions = new Map<TransactionId, string>();
      for (let i = 0; i < 3; i += 1) {
        const asked = head();
        const vote = await participant().prepare(asked, underTest.work());
        if (vote.vote === 'yes' && vote.position !== undefined) positions.set(asked.id, vote.position);
      }
      const [first] = positions.keys();
      if (first !== undefined) await participant().commit(first);

      await alsoAfterReopening(underTest, async () => {
        for (const [id, position] of positions) expect(await participant().mayHavePrepared!(id, position)).toBe(true);
      });
    });
  });
}

/** A test that is left out for a store without the ability. */
function only(isApplicable: boolean): typeof it | ((name: string, test: () => Promise<void>) => void) {
  return isApplicable ? it : () => undefined;
}
