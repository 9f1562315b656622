import { beforeAll, describe, expect, it } from '@jest/globals';
import { parseConfig } from '../../config/index.js';
import { type ChildExit, fileLayoutOf } from '../../platform/nodes/index.js';
import { APP } from './app-processes.js';
import { type ManagedProcess, type ManagedProcesses, managedProcessesOf, PROCESS_KINDS } from './managed-processes.js';
import { messageFor } from './messages.js';
import type { Message } from './process-kind.js';
import { REDIS_KIND } from './redis-nodes.js';
import type { SupervisorNotice } from './supervisor-core.js';

type Notice = Extract<SupervisorNotice, { kind: 'child' }>['notice'];

const layout = fileLayoutOf({ dataDirectory: '/data', replicasDirectory: '/replicas' });
const REPLICA = 'Replica 2 (5072)';
const KILLED: ChildExit = { pid: 7, code: null, signal: 'SIGKILL', complaint: undefined };

let all: ManagedProcesses;

beforeAll(async () => {
  const config = parseConfig({ STANDBY_PORT: 'off', GATEWAY_PORT: 'off', REPLICA_PORTS: '5071,5072', REDIS: 'off' });
  all = await managedProcessesOf(PROCESS_KINDS, config, layout, () => undefined);
});

function processes(waitsFor?: string): ManagedProcesses {
  all.get(APP)!.waitsFor = waitsFor;
  return all;
}

const about = (name: string, notice: Notice, waitsFor?: string): Message =>
  messageFor({ kind: 'child', name, notice }, processes(waitsFor), layout, false);

describe('what npm start says', () => {
  it.each([
    [APP, 'The app (pid 7) was ended by SIGKILL. Starting it again in 0.25 s ...'],
    [REPLICA, 'Replica 2 (5072) was ended by SIGKILL. Starting it again in 0.25 s ...'],
  ])('of %s that died, names it, what ended it and when it starts again', (name, text) => {
    expect(about(name, { kind: 'died', exit: KILLED, retryInMs: 250 })).toEqual({ text, isTrouble: true });
  });

  it('of a process that a stop killed, says that its confirmed data are kept, unless it only caches', () => {
    const redis = { ...all.get(REPLICA)!, name: 'Redis 1 (7000)', kind: REDIS_KIND };
    const killed = (managed: ManagedProcess): string =>
      messageFor(
        { kind: 'child', name: managed.name, notice: { kind: 'killed', afterMs: 10_000 } },
        ...([new Map([[managed.name, managed]]), layout, false] as const),
      ).text;

    expect(killed(all.get(REPLICA)!)).toBe(
      'Replica 2 (5072) did not stop within 10 s and was killed. Everything that it confirmed is kept.',
    );
    expect(killed(redis)).toBe('Redis 1 (7000) did not stop within 10 s and was killed.');
  });

  it('of an app that is slow, says what it waits for', () => {
    const { text } = about(APP, { kind: 'slow', afterMs: 15_000 }, 'replication waits: 2 of 4 replicas heard, needs 3');

    expect(text).toBe(
      'The app is not ready after 15 s: replication waits: 2 of 4 replicas heard, needs 3; still waiting. Log file: /data/logs/app.log',
    );
  });

  it('of a start that takes a while, names what it waits for, with the reason where it is known', () => {
    const waiting = { kind: 'waiting', names: [APP, REPLICA] } as const;
    const { text } = messageFor(waiting, processes('replication waits: 1 of 2 replicas heard'), layout, false);

    expect(text).toBe('Waiting for the app (replication waits: 1 of 2 replicas heard), Replica 2 (5072) ...');
  });

  it.each([
    [APP, 'recovery-needed: npm run recover:from-replicas', /^recovery-needed: npm run recover:from-replicas$/],
  ])('of %s that refuses its first start with "%s", says it in one line', (name, complaint, line) => {
    const exit = { ...KILLED, signal: null, code: 1, complaint };

    expect(about(name, { kind: 'gave-up', exit, isFirst: true, attempts: 1 }).text).toMatch(line);
  });

  it('of a replica whose port is taken, names port, replica and setting', () => {
    const output = '{"level":30}\nport-taken: port 5072 is taken\n';

    expect(processes().get(REPLICA)!.complaintIn(output)).toMatch(
      /^port-taken: port 5072, for replica 2, is in use by another program: .*REPLICA_PORTS/,
    );
  });

  it('when all are up, shows where each replica answers and keeps its data, and which one does not run and why', () => {
    const children = { [APP]: { url: 'http://127.0.0.1:5050' }, [REPLICA]: { url: 'http://127.0.0.1:5072' } };
    const shown = (all: Extract<Parameters<typeof messageFor>[0], { kind: 'all-up' }>['children']): string =>
      messageFor({ kind: 'all-up', children: all }, processes(), layout, false).text;
    expect(shown(children)).toMatch(/Replica 2\s+│ http:\/\/127\.0\.0\.1:5072 in \/replicas\/5072 /);

    const failure = { ...KILLED, signal: null, code: 1, complaint: 'data-corrupt: segment-1 at 17' };
    expect(shown({ ...children, [REPLICA]: { url: undefined, failure } })).toMatch(
      /Replica 2\s+│ NOT RUNNING: data-corrupt: segment-1 at 17, in \/replicas\/5072 /,
    );
  });

  it.each([
    [true, /X-Api-Key: <key>" or "Authorization: Bearer <key>".*\n.*To try\s+│ curl -H "X-Api-Key: <key>" http/],
    [false, /To try\s+│ curl http/],
  ])('when all are up and keys are needed (%s), says how to call', (needsKey, notified) => {
    const children = { [APP]: { url: 'http://127.0.0.1:5050' } };
    expect(messageFor({ kind: 'all-up', children }, processes(), layout, needsKey).text).toMatch(notified);
  });
});
