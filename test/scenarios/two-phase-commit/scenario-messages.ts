import type { RecoveryReport, TransactionId } from '../../../src/protocols/two-phase-commit/index.js';

/** Describes a step for people. `line` has the format of the world: `a prepared t1: promise`. */
export function sentenceOf(line: string): string {
  const [, who = '', step = '', id = '', done = ''] = /^(\S+) (\S+) (\S+): (.*)$/.exec(line) ?? [];
  const [verb = '', decision = ''] = done.split(' ');
  if (step === 'refused') return `${who} refuses ${id}: ${done}`;
  if (who === 'sql') return `sql ${verb === 'wrote' ? 'writes' : 'finds'} ${id} ${decision}`;
  return `${who} ${DEEDS[`${step} ${done}`] ?? line} ${id}`;
}

const DEEDS: Readonly<Record<string, string>> = {
  'prepared promise': 'promises',
  'prepared nothing': 'has promised',
  'committed commit': 'commits',
  'committed nothing': 'has nothing to commit for',
  'aborted abort': 'aborts',
  'aborted tombstone': 'records the abort of',
  'aborted nothing': 'has nothing to abort for',
};

export function reported({ committed, aborted, unmatched, failed }: RecoveryReport): string {
  const parts = [
    listed('committed', committed),
    listed('aborted', aborted),
    listed('unmatched', unmatched),
    ...failed.map(({ id, error }) => `${id} failed (${error})`),
  ].filter((part) => part !== '');
  return parts.length === 0 ? 'nothing' : parts.join('; ');
}

function listed(what: string, ids: readonly TransactionId[]): string {
  return ids.length === 0 ? '' : `${what} ${ids.join(' ')}`;
}
