import { describe, expect, it } from '@jest/globals';
import type { Presence } from '../../platform/nodes/index.js';
import { decideClaim } from './claim.js';
import { decideStop, type Found } from './stop.js';

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
  const TITLES = ['supervisor', 'app', 'replica', 'replica'];
  const found = (...presences: readonly Presence[]): Found[] =>
    presences.map((presence, index) => ({ title: TITLES[index]!, presence }));

  it.each([
    ['nothing', [GONE, GONE], false, { kind: 'done' }],
    ['a supervisor and its app, asks the supervisor', [ANSWERS, ANSWERS], false, ['ask', 'supervisor', 1]],
    ['an app without a supervisor, asks the app', [GONE, ANSWERS], false, ['ask', 'app', 1]],
    ['an app that is silent, reports it', [GONE, SILENT], false, ['report', 'app', 2]],
    ['an app that is silent and force, kills it', [GONE, SILENT], true, ['kill', 'app', 2]],
    ['a supervisor that is silent, reports it first', [SILENT, ANSWERS], false, ['report', 'supervisor', 2]],
    ['a supervisor that is silent and force, kills it first', [SILENT, ANSWERS], true, ['kill', 'supervisor', 2]],
    ['a supervisor whose app is silent, asks the supervisor', [ANSWERS, SILENT], false, ['ask', 'supervisor', 1]],
    ['both that answer and force, still asks', [ANSWERS, ANSWERS], true, ['ask', 'supervisor', 1]],
    ['replicas beside an app, asks the app first', [GONE, ANSWERS, ANSWERS], false, ['ask', 'app', 1]],
    ['replicas without a supervisor, asks them', [GONE, GONE, GONE, ANSWERS], false, ['ask', 'replica', 1]],
    ['a replica that is silent, reports it', [GONE, GONE, SILENT], false, ['report', 'replica', 2]],
    ['a replica that is silent and force, kills it', [GONE, GONE, SILENT], true, ['kill', 'replica', 2]],
    ['replicas that are gone', [GONE, GONE, GONE, GONE], false, { kind: 'done' }],
  ] as const)('given %s', (_what, presences, isForced, expected) => {
    const [kind, title, pid] = Array.isArray(expected) ? (expected as readonly unknown[]) : [];
    const step = kind === undefined ? expected : { kind, title, pid };
    expect(decideStop(found(...presences), isForced)).toEqual(step);
  });
});
