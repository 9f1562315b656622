import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import { statusSchema, type ProcessStatus, type SupervisorStatus } from '../../src/protocols/failover/index.js';
import { readRunFile } from '../../src/platform/nodes/index.js';
import { join } from 'node:path';
import { removeDirectory, temporaryDirectory } from '../support/app-process.js';
import { eventually } from '../support/eventually.js';
import { type FleetRun, freePorts, StandInFleet } from '../support/stand-in-fleet.js';

const READY = /To stop/;
/** A slow machine may hold a process for longer than the preset. */
const PATIENT = { PING_MS: '100', DEAD_AFTER_MS: '2000' };

/** The real supervisor over stand-ins that echo. */
describe('the monitor of npm start', () => {
  let root: string;
  let fleet: StandInFleet;
  let replicaPort: number;
  const servers: Server[] = [];

  beforeEach(async () => {
    root = temporaryDirectory();
    [replicaPort = 0] = await freePorts(1);
    fleet = new StandInFleet(root, [replicaPort]);
  });

  afterEach(async () => {
    servers.splice(0).forEach((server) => server.close());
    const stopped = await fleet.run('stop', { args: ['--force'] }).toEnd();
    removeDirectory(root);
    expect(stopped.code).toBe(0);
  });

  async function start(environment: Readonly<Record<string, string>> = {}): Promise<FleetRun> {
    const run = fleet.run('start', { ...PATIENT, ...environment });
    await run.prints(READY);
    return run;
  }

  async function status(headers: Readonly<Record<string, string>> = {}): Promise<SupervisorStatus> {
    const { url = '' } = readRunFile(join(fleet.data, 'supervisor.json')) ?? {};
    const response = await fetch(`${url}/status`, { headers });
    expect(response.status).toBe(200);
    return statusSchema.parse(await response.json());
  }

  async function statusOf(name: RegExp): Promise<ProcessStatus> {
    const { processes } = await status();
    return processes.find((each) => name.test(each.name))!;
  }

  it('given processes that run, shows each one with its role, age, restarts and last echo, and what a failure would do', async () => {
    await start();
    await eventually(async () =>
      expect((await status()).processes.map(({ health }) => health)).toEqual(['healthy', 'healthy']),
    );

    const { active, processes, failovers, aFailureNow } = await status();
    expect(active).toBe('The app');
    expect(processes.map(({ name, role, pid, restarts }) => [name, role, pid, restarts])).toEqual([
      ['The app', 'active', fleet.app.pid, 0],
      [`Replica 1 (${replicaPort})`, 'replica', fleet.replica(replicaPort).pid, 0],
    ]);
    for (const { ageMs, lastEchoMsAgo, history } of processes) {
      expect(ageMs).toBeGreaterThan(0);
      expect(lastEchoMsAgo).toBeLessThan(60_000);
      expect(history.map(({ from, to }) => [from, to])).toEqual([['starting', 'healthy']]);
    }
    expect(failovers).toEqual([]);
    expect(aFailureNow[0]).toEqual({
      failureOf: 'The app',
      isMasked: false,
      outcome: 'no standby waits: no app serves until it is started again',
    });
  });

  it('given a process that is held by SIGSTOP, kills it, says so, and starts it again', async () => {
    const run = await start();
    const { pid } = fleet.app;
    await eventually(async () => expect((await statusOf(/app/)).health).toBe('healthy'));
    process.kill(pid, 'SIGSTOP');

    await run.prints(/The app did not echo for \d+ ms and is killed\./, /The app is back at/);
    expect(fleet.app.pid).not.toBe(pid);
    await eventually(async () => expect((await statusOf(/app/)).health).toBe('healthy'));
    const { history, restarts } = await statusOf(/app/);
    expect(restarts).toBe(1);
    expect(history.map(({ to }) => to)).toEqual(['healthy', 'suspect', 'dead', 'restarting', 'healthy']);
    const [failover] = (await status()).failovers;
    expect(failover).toMatchObject({ of: 'The app', by: 'The app', cause: 'hung' });
    expect(failover!.detectionMs).toBeGreaterThanOrEqual(2_000);
  });

  it('given kill -9 of the supervisor, the next one adopts what runs and kills what hangs', async () => {
    const first = await start();
    process.kill(first.pid, 'SIGKILL');
    await first.exited;
    const { pid } = fleet.app;
    const run = await start();
    expect(fleet.app.pid).toBe(pid);
    await eventually(async () => expect((await statusOf(/app/)).health).toBe('healthy'));
    process.kill(pid, 'SIGSTOP');

    await run.prints(/The app did not echo/, /The app is back at/);
    expect(fleet.app.pid).not.toBe(pid);
  });

  it('given a process that dies again and again, waits ever longer, and shows that it is flapping', async () => {
    await start();
    for (let deaths = 1; deaths <= 3; deaths += 1) {
      const { pid } = fleet.replica(replicaPort);
      process.kill(pid, 'SIGKILL');
      await eventually(async () => {
        const replica = await statusOf(/Replica/);
        expect([replica.restarts, replica.health]).toEqual([deaths, 'healthy']);
        expect(fleet.replica(replicaPort).pid).not.toBe(pid);
      });
    }

    expect((await statusOf(/Replica/)).isFlapping).toBe(true);
    expect((await statusOf(/app/)).isFlapping).toBe(false);
  });

  it('given API keys, shows the status only to a caller with one of them', async () => {
    await start({ API_KEYS: 'reader:read:0123456789abcdef' });
    const { url } = readRunFile(join(fleet.data, 'supervisor.json'))!;

    expect((await fetch(`${url}/status`)).status).toBe(401);
    expect((await fetch(`${url}/status`, { headers: { 'x-api-key': '0123456789abcdeX' } })).status).toBe(401);
    expect((await status({ 'x-api-key': '0123456789abcdef' })).active).toBe('The app');
    expect((await status({ authorization: 'Bearer 0123456789abcdef' })).active).toBe('The app');
  });

  it('given a port of the supervisor in use, names it in one line, and starts nothing', async () => {
    const [port = 0] = await freePorts(1);
    const server = createServer();
    servers.push(server);
    await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));

    const { code, printed } = await fleet.run('start', { SUPERVISOR_PORT: String(port) }).toEnd();

    expect(code).toBe(1);
    expect(printed).toMatch(
      new RegExp(`^port-taken: port ${port} is in use by another program: .*SUPERVISOR_PORT.*\n$`),
    );
  });
});
