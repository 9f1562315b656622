import { join } from 'node:path';
import { AppError, type CrashSites, type Disk, isAppError } from '../../../kernel/index.js';
import { DataDirectoryLock } from '../../../platform/process/index.js';
import type { Intent } from '../core/intent.js';
import { IntentFiles } from './intent-files.js';

const LOCK_ENDING = '.lock.db';
/** Two names joined by a dot, as `held` creates them; the store ignores all other files. */
const OWNERS_NAME = /^([\w-]+)\.(?:lock\.db|[\w-]+\.json)$/;
const TRIES = 5;
/** Locks that this process holds. Opening one a second time could release it. */
const HERE = new Set<string>();

/** The intents of one owner, and the lock that keeps other processes from working on them. */
export interface HeldIntents {
  readonly files: IntentFiles;
  /** Gives the intents back, and removes the lock file when no intents are left. */
  release(): Promise<void>;
}

/**
 * The open intents of all clients that share a directory. Each client has a name, files that begin with that name, and a lock on
 * it that ends exactly with its process. A client can take over what a dead client left, but not the work of a living one.
 */
export class IntentStore {
  constructor(
    private readonly ports: { readonly disk: Disk; readonly crashSites: CrashSites },
    private readonly directory: string,
    private readonly newName: () => string,
  ) {}

  /** Creates the lock of a new client. Rejects with `misconfigured` when that fails. */
  async begin(): Promise<HeldIntents> {
    try {
      await this.ports.disk.ensureDirectory(this.directory);
      return this.beginIn();
    } catch (cause) {
      if (isAppError(cause)) throw cause;
      const { code, message } = cause as { code?: unknown; message: string };
      const why = typeof code === 'string' ? code : message;
      const text = `Cannot save operations in ${this.directory}: ${why}`;
      throw new AppError('misconfigured', text, { retry: 'never', cause });
    }
  }

  private beginIn(): HeldIntents {
    for (let attempt = 1; ; attempt += 1) {
      const name = this.newName();
      const lock = this.tryLock(name);
      if (lock !== undefined) return this.held(name, lock);
      if (attempt < TRIES) continue;
      throw new AppError('data-directory-locked', `cannot lock ${this.directory}: it is in use by another process`, {
        retry: 'safe',
      });
    }
  }

  /** The intents of clients that are gone, and those that clients in other processes are working on. */
  async orphans(): Promise<{ readonly held: readonly HeldIntents[]; readonly others: readonly Intent[] }> {
    const names = new Set<string>();
    for (const file of await this.ports.disk.list(this.directory)) {
      const [, name] = OWNERS_NAME.exec(file) ?? [];
      if (name !== undefined) names.add(name);
    }
    const held: HeldIntents[] = [];
    const others: Intent[] = [];
    for (const name of names) {
      if (HERE.has(this.pathOf(name))) continue;
      const lock = this.tryLock(name);
      if (lock === undefined) others.push(...(await this.filesOf(name).all()));
      else held.push(this.held(name, lock));
    }
    return { held, others };
  }

  private held(name: string, lock: DataDirectoryLock): HeldIntents {
    const path = this.pathOf(name);
    HERE.add(path);
    const files = this.filesOf(name);
    return {
      files,
      release: async () => {
        try {
          // Removed while the lock is held: a process that opened the file earlier finds that its name is gone.
          if (await files.tidy()) await this.ports.disk.remove(path);
        } finally {
          lock.release();
          HERE.delete(path);
        }
      },
    };
  }

  private filesOf(name: string): IntentFiles {
    return new IntentFiles(this.ports, this.directory, `${name}.`);
  }

  private pathOf(name: string): string {
    return join(this.directory, `${name}${LOCK_ENDING}`);
  }

  private tryLock(name: string): DataDirectoryLock | undefined {
    try {
      return DataDirectoryLock.acquire(this.directory, `${name}${LOCK_ENDING}`);
    } catch (error) {
      const { code } = error as { code?: unknown };
      // ENOENT: the owner removed the file in between, and is gone.
      if (code === 'data-directory-locked' || code === 'ENOENT') return undefined;
      throw error;
    }
  }
}
