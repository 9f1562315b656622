import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startReplica } from '../cluster.js';
import { type Bench, type Figure, interleave, type Round } from '../figure.js';
import { type ServerProcess, startBaseline } from '../processes.js';

const STARTS_PER_ROUND = 3;
const WARM_UPS = 2;
/** For what a start leaves behind to be collected. */
const SETTLE_MS = 2_000;
const KIB_PER_MIB = 1_024;

function servers(bench: Bench): {
  readonly replica: () => Promise<ServerProcess>;
  readonly bare: () => Promise<ServerProcess>;
} {
  const directory = join(bench.directory, 'replica-process');
  rmSync(directory, { recursive: true, force: true });
  return {
    replica: () => startReplica(bench.program, join(directory, 'replica')),
    bare: () => startBaseline(bench, 'bare-process', join(directory, 'bare')),
  };
}

async function measureStart(bench: Bench): Promise<readonly Round[]> {
  const { replica, bare } = servers(bench);
  const timed = (start: () => Promise<ServerProcess>) => async (): Promise<number> => {
    const server = await start();
    await server.kill();
    return server.readyAfterMs;
  };
  await interleave(WARM_UPS, timed(replica), timed(bare));
  return interleave(bench.rounds * STARTS_PER_ROUND, timed(replica), timed(bare));
}

async function measureMemory(bench: Bench): Promise<readonly Round[]> {
  const { replica, bare } = servers(bench);
  const idle = (start: () => Promise<ServerProcess>) => async (): Promise<number> => {
    const server = await start();
    await delay(SETTLE_MS);
    const memory = residentMib(server.pid);
    await server.kill();
    return memory;
  };
  return interleave(bench.rounds, idle(replica), idle(bare));
}

function residentMib(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) / KIB_PER_MIB;
}

const base = { better: 'lower' } as const;

export const REPLICA_PROCESS: readonly Figure[] = [
  {
    ...base,
    name: 'replica-start',
    title: 'Start of a replica against a bare node:http process',
    unit: 'ms',
    must: 3,
    aim: 2,
    measure: measureStart,
  },
  {
    ...base,
    name: 'replica-memory',
    title: 'Idle memory of a replica against a bare node:http process',
    unit: 'MiB',
    must: 1.6,
    aim: 1.35,
    measure: measureMemory,
  },
];
