import type { Mismatch } from '../../../protocols/two-phase-commit/index.js';
import type { CommandOutput } from '../command-output.js';
import type { Acceptance } from './accept.js';

const WHAT_IS_WRONG: Readonly<Record<Mismatch['problem'], string>> = {
  'no-row': 'it has no row in the database',
  'other-decision': 'it was decided otherwise in the database',
  'never-promised': 'it is committed in the database and was never promised here, so this is an older copy',
  'no-participant': 'it is committed in the database, and nothing by that name takes part here',
};

export function acceptMessage({ accepted, givenUp, left }: Acceptance, reason: string): CommandOutput {
  if (accepted.length + givenUp.length + left.length === 0) {
    return { exitCode: 0, lines: ['Every committed transaction has its row: there was nothing to accept.'] };
  }
  return {
    exitCode: left.length === 0 ? 0 : 1,
    lines: [
      ...accepted.map(({ id, kind }) => `accepted: ${kind} ${id} (its row says committed, by operator: ${reason})`),
      ...(accepted.length === 0 ? [] : ['What the database had of them does not come back by this.']),
      ...givenUp.map(
        ({ id, kind, participant }) => `given up: ${kind} ${id}, which ${participant} has lost (${reason})`,
      ),
      ...(givenUp.length === 0
        ? []
        : ['What the database has of them stays; the other half does not come back by this.']),
      ...left.map(({ id, kind, participant, problem }) => {
        return `left: ${kind} ${id} of ${participant}: ${WHAT_IS_WRONG[problem]}`;
      }),
      left.length === 0 ? '"npm start" goes on from here.' : 'Those that are left need the right copy of the data.',
    ],
  };
}
