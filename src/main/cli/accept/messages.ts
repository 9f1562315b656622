import type { Mismatch } from '../../../protocols/two-phase-commit/index.js';
import type { CommandOutput } from '../command-output.js';
import type { Acceptance } from './accept.js';

const WHAT_IS_WRONG: Readonly<Record<Mismatch['problem'], string>> = {
  'no-row': 'the database has no row of it',
  'other-decision': 'the database has the opposite decision',
  'never-promised': 'the database has committed it, but this store never prepared it, so this store is an older copy',
  'no-participant': 'the database has committed it, but no participant has that name',
};

export function acceptMessage({ accepted, givenUp, left }: Acceptance, reason: string): CommandOutput {
  if (accepted.length + givenUp.length + left.length === 0) {
    return { exitCode: 0, lines: ['Nothing to accept: every committed transaction has its row.'] };
  }
  return {
    exitCode: left.length === 0 ? 0 : 1,
    lines: [
      ...accepted.map(({ id, kind }) => `accepted: ${kind} ${id} (its row says committed, by operator: ${reason})`),
      ...(accepted.length === 0 ? [] : ['The rows that the database lost with them stay lost.']),
      ...givenUp.map(
        ({ id, kind, participant }) => `given up: ${kind} ${id}, which ${participant} has lost (${reason})`,
      ),
      ...(givenUp.length === 0
        ? []
        : ['The database keeps its part of them; the part that the participant lost stays lost.']),
      ...left.map(({ id, kind, participant, problem }) => {
        return `left: ${kind} ${id} of ${participant}: ${WHAT_IS_WRONG[problem]}`;
      }),
      left.length === 0
        ? 'Run "npm start" to continue.'
        : 'The transactions that are left need the right copy of the data.',
    ],
  };
}
