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

type Step = ProcessStatus['history'][number];

/** A busy machine lets any process be suspect for a moment. */
function withoutMoments(history: readonly Step[]): readonly Step[] {
  const isMoment = (at: number): boolean =>
    history[at]?.to === 'suspect' && (history[at + 1]?.to ?? 'healthy') === 'healthy';
  return history.filter((_, index) => !isMoment(index) && !isMoment(index - 1));
}

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
      expect(withoutMoments(history).map(({ from, to }) => [from, to])).toEqual([['starting', 'healthy']]);
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
    const steps = withoutMoments(history).map(({ to }) => to);
    expect(steps).toEqual(['healthy', 'suspect', 'dead', 'restarting', 'healthy']);
    const [failover] = (await status()).failovers;
    expect(failover).toMatchObject({ of: 'The app', by: 'The app', cause: 'hung' });
    expect(failover!.detectionMs).toBeGreaterThan(1_000);
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

  describe('with two apps and a gateway', () => {
    const TWO = { STANDBY_PORT: '0', GATEWAY_PORT: '0' };
    const appStatus = async (pid: number): Promise<ProcessStatus | undefined> =>
      (await status()).processes.find((each) => each.pid === pid);
    const whole = (): Promise<SupervisorStatus> =>
      eventually(async () => {
        const found = await status();
        const roles = found.processes.map(({ role }) => role).sort();
        expect(roles).toEqual(['active', 'gateway', 'replica', 'standby']);
        return found;
      });

    it('prints the address of the gateway as the one to try, and says that a standby would take over', async () => {
      const run = await start(TWO);
      const { aFailureNow, active } = await whole();

      expect(run.printed).toMatch(/Gateway\s+│ (http:\S+)/);
      const [, gateway = ''] = /Gateway\s+│ (http:\S+)/.exec(run.printed) ?? [];
      expect(run.printed).toContain(`curl ${gateway}/books`);
      expect(run.printed).toMatch(/Standby\s+│ http:/);
      expect(run.printed).toMatch(new RegExp(`API\\s+│ ${fleet.app.url} `));
      const standby = (await appStatus(fleet.standby.pid))!.name;
      expect(aFailureNow[0]).toEqual({
        failureOf: active,
        isMasked: true,
        outcome: `${standby} takes over; clients of the gateway see a slow answer`,
      });
    });

    it.each(['SIGKILL', 'SIGSTOP'] as const)(
      'given %s of the active app, the standby takes over, and the dead one comes back as the standby',
      async (signal) => {
        const run = await start(TWO);
        await whole();
        const [first, second] = [fleet.app.pid, fleet.standby.pid];
        const name = (await appStatus(first))!.name;
        process.kill(first, signal);

        await run.prints(
          /App [AB] took over from App [AB]: noticed within \d+ ms, serves \d+ ms later\./,
          /A standby waits again\./,
        );
        expect(fleet.app.pid).toBe(second);
        const { failovers, active } = await whole();
        expect(active).toBe((await appStatus(second))!.name);
        expect(failovers).toHaveLength(1);
        expect(failovers[0]).toMatchObject({ of: name, by: active, cause: signal === 'SIGKILL' ? 'died' : 'hung' });
        for (const time of ['detectionMs', 'takeoverMs', 'recoveryMs'] as const) {
          expect(failovers[0]![time]).toBeGreaterThanOrEqual(0);
        }
        expect((await appStatus(fleet.standby.pid))!.restarts).toBe(1);
      },
    );

    it('given kill -9 of the supervisor, all serve on, and the next one adopts both apps and the gateway', async () => {
      const first = await start(TWO);
      await whole();
      const before = [fleet.app.pid, fleet.standby.pid];
      process.kill(first.pid, 'SIGKILL');
      await first.exited;
      const run = await start(TWO);
      await whole();

      expect([fleet.app.pid, fleet.standby.pid]).toEqual(before);
      expect(run.printed).toMatch(/Watching again .*The gateway \(pid \d+\), App A \(pid \d+\), App B/);
      process.kill(before[0]!, 'SIGSTOP');
      await run.prints(/took over from/, /A standby waits again\./);
      expect(fleet.app.pid).toBe(before[1]);
    });

    it('given kill -9 of the supervisor and the active app, the standby serves, and the next supervisor starts a new standby', async () => {
      const first = await start(TWO);
      await whole();
      const standby = fleet.standby.pid;
      process.kill(first.pid, 'SIGKILL');
      process.kill(fleet.app.pid, 'SIGKILL');
      await first.exited;
      await eventually(() => expect(fleet.app.pid).toBe(standby));
      await start(TWO);

      await whole();
      expect(fleet.app.pid).toBe(standby);
    });

    it('given kill -9 of both apps at once and of the gateway, starts all again', async () => {
      await start(TWO);
      const { processes } = await whole();
      const killed = processes.filter(({ role }) => role !== 'replica').map(({ pid }) => pid!);
      killed.forEach((pid) => process.kill(pid, 'SIGKILL'));

      await eventually(async () => {
        const now = (await status()).processes;
        expect(now.map(({ role }) => role).sort()).toEqual(['active', 'gateway', 'replica', 'standby']);
        expect(now.filter(({ pid }) => killed.includes(pid!))).toEqual([]);
      });
    });

    it('given npm stop without a supervisor, stops the standby before the active app, so that nothing takes over', async () => {
      const run = await start(TWO);
      await whole();
      process.kill(run.pid, 'SIGKILL');
      await run.exited;

      expect(await fleet.run('stop').toEnd()).toEqual({ code: 0, printed: 'Stopped.\n' });
      expect(fleet.history.filter((line) => line === 'app stops')).toHaveLength(1);
    });
  });
});
