import { describe, expect, it } from '@jest/globals';
import type { Presence } from '../../platform/nodes/index.js';
import { decideClaim } from './claim.js';
import { decideStop } from './stop.js';

const ANSWERS: Presence = { state: 'answers', pid: 1, url: 'http://127.0.0.1:1' };
const SILENT: Presence = { state: 'silent', pid: 2 };
const GONE: Presence = { state: 'gone' };

describe('npm start', () => {
  it.each([
    ['an app that answers and nobody watches', true, 'answers', 0, 'supervise'],
    ['an app that answers under another supervisor', false, 'answers', 0, 'running'],
    ['nothing', true, 'gone', 0, 'supervise'],
    ['a silent app that nobody watches', true, 'silent', 0, 'supervise'],
    ['another supervisor whose app is not there yet', false, 'gone', 0, 'wait'],
    ['another supervisor whose app does not answer', false, 'silent', 59_999, 'wait'],
    ['another supervisor whose app is not there for a minute', false, 'gone', 60_000, 'stuck'],
  ] as const)('given %s: %#', (_what, holdsLock, app, waitedMs, decision) => {
    expect(decideClaim(holdsLock, app, waitedMs)).toBe(decision);
  });
});

describe('npm stop', () => {
  it.each([
    ['nothing', GONE, GONE, false, { kind: 'done' }],
    ['a supervisor and its app, asks the supervisor', ANSWERS, ANSWERS, false, ['ask', 'supervisor', 1]],
    ['an app without a supervisor, asks the app', GONE, ANSWERS, false, ['ask', 'app', 1]],
    ['an app that is silent, reports it', GONE, SILENT, false, ['report', 'app', 2]],
    ['an app that is silent and force, kills it', GONE, SILENT, true, ['kill', 'app', 2]],
    ['a supervisor that is silent, reports it first', SILENT, ANSWERS, false, ['report', 'supervisor', 2]],
    ['a supervisor that is silent and force, kills it first', SILENT, ANSWERS, true, ['kill', 'supervisor', 2]],
    ['a supervisor whose app is silent, asks the supervisor', ANSWERS, SILENT, false, ['ask', 'supervisor', 1]],
    ['both that answer and force, still asks', ANSWERS, ANSWERS, true, ['ask', 'supervisor', 1]],
  ] as const)('given %s', (_what, supervisor, app, isForced, expected) => {
    const [kind, who, pid] = Array.isArray(expected) ? (expected as readonly unknown[]) : [];
    const step = kind === undefined ? expected : { kind, who, pid };
    expect(decideStop(supervisor, app, isForced)).toEqual(step);
  });

  it.each([
    ['replicas beside an app, asks the app first', ANSWERS, [ANSWERS], false, { kind: 'ask', who: 'app', pid: 1 }],
    ['replicas that nobody watches, asks them', GONE, [GONE, ANSWERS], false, { kind: 'ask', who: 'replica', pid: 1 }],
    ['a replica that is silent, reports it', GONE, [SILENT], false, { kind: 'report', who: 'replica', pid: 2 }],
    ['a replica that is silent and force, kills it', GONE, [SILENT], true, { kind: 'kill', who: 'replica', pid: 2 }],
    ['replicas that are gone', GONE, [GONE, GONE], false, { kind: 'done' }],
  ] as const)('given %s', (_what, app, replicas, isForced, expected) => {
    expect(decideStop(GONE, app, isForced, replicas)).toEqual(expected);
  });
});
