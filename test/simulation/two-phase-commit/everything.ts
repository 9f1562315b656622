import { TWO_PHASE_CRASH_SITES } from '../../../src/protocols/two-phase-commit/index.js';

/** The events that the runs of a suite must contain, by their recorded names. Otherwise the simulation has become tame. */
export const EVERYTHING: readonly string[] = [
  ...TWO_PHASE_CRASH_SITES.map((site) => `ended: ${site}`),
  ...['kill', 'power', 'the outcome of a commit is unknown', 'it refused to start'].map((why) => `ended: ${why}`),
  ...[
    'committed',
    'pending',
    'running',
    'conflict',
    'not-ready',
    'too-few-replicas',
    'storage-full',
    'storage-read-only',
  ]
    .concat('overloaded', 'outcome-unknown')
    .map((answer) => `answered ${answer}`),
  ...['committed by coordinator', 'aborted by coordinator', 'aborted by recovery', 'forgotten'].map(
    (what) => `row: ${what}`,
  ),
  ...['committed by operator', 'aborted by operator', 'after the death of its process'].map((what) => `row: ${what}`),
  ...['committed', 'aborted', 'unmatched', 'failed'].map((found) => `recovery: ${found}`),
  ...['committed', 'aborted', 'conflict', 'not-found'].map((answer) => `resolved: ${answer}`),
  'ledger: a late prepare',
  ...['confirmed', 'send-append', 'send-snapshot', 'install', 'ask-promises', 'open'].map(
    (what) => `replication: ${what}`,
  ),
];
