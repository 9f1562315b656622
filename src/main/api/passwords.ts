import { availableParallelism } from 'node:os';
import { Gauge, type Registry } from 'prom-client';
import type { AppConfig } from '../../config/index.js';
import type { Log } from '../../kernel/index.js';
import { NodeDisk } from '../../platform/disk/index.js';
import { programOf } from '../../platform/nodes/index.js';
import { PasswordHasher, startHashWorker } from '../../platform/passwords/index.js';
import { systemClock, systemTimers } from '../../platform/process/index.js';
import { TokenKeys } from '../../platform/tokens/index.js';

/** About three minutes of work for one core. */
const MAX_WAITING = 4_000;

export interface Passwords {
  readonly hasher: PasswordHasher;
  readonly tokens: TokenKeys;
  readonly passwordMin: number;
  /** Ends the threads, and refuses what they have not done. */
  close(): Promise<void>;
}

/** What registration needs of this process: the threads that hash, one core being left to everything else, and the keys of tokens. */
export async function keepPasswords(
  { registration, storage }: Pick<AppConfig, 'registration' | 'storage'>,
  log: Log,
  registry: Registry,
): Promise<Passwords> {
  const { passwordMin, renewTokenKeyAfterMs } = registration;
  const tokens = await TokenKeys.open(
    { disk: new NodeDisk(), clock: systemClock, timers: systemTimers, log },
    { directory: storage.dataDirectory, renewAfterMs: renewTokenKeyAfterMs },
  );
  const hasher = new PasswordHasher({
    start: (events) => startHashWorker(programOf('hasher'), events),
    workers: Math.max(1, availableParallelism() - 1),
    maxWaiting: MAX_WAITING,
    log,
  });
  new Gauge({
    name: 'bifolio_passwords_waiting',
    help: 'Number of passwords that wait to be hashed or compared.',
    registers: [registry],
    collect() {
      this.set(hasher.waitingCount);
    },
  });
  return {
    hasher,
    tokens,
    passwordMin,
    close: async () => {
      tokens.close();
      await hasher.close();
    },
  };
}
