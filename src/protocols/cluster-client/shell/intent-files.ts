import { join } from 'node:path';
import { z } from 'zod';
import { replaceFile } from '../../../platform/disk/index.js';
import { AppError, type CrashSites, type Disk } from '../../../kernel/index.js';
import type { Intent } from '../core/intent.js';

const ENDING = '.json';
const TEMPORARY = '.tmp';
const STATUSES = ['untouched', 'done', 'already', 'refused', 'unreachable', 'rolled-back', 'unknown'] as const;

const intentSchema: z.ZodType<Intent> = z.object({
  id: z.string(),
  wanted: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('create'), groupId: z.string() }),
    z.object({ kind: z.literal('delete'), groupId: z.string() }),
    z.object({ kind: z.literal('clear') }),
  ]),
  startedAtMs: z.number(),
  direction: z.enum(['undecided', 'forward', 'backward']),
  nodes: z
    .array(
      z.object({
        name: z.string(),
        plain: z.object({ before: z.array(z.string()) }).exactOptional(),
        status: z.enum(STATUSES),
        isTouched: z.boolean(),
        cause: z.string().exactOptional(),
      }),
    )
    .min(1),
});
const fileSchema = z.object({ format: z.literal(1), intent: intentSchema });

export const INTENT_CRASH_SITES = [
  'cluster.keep.before',
  'cluster.keep.after',
  'cluster.forget.before',
  'cluster.forget.after',
] as const;

/** The open intents of one client, one file each; the file names begin with the client's name. */
export class IntentFiles {
  constructor(
    private readonly ports: { readonly disk: Disk; readonly crashSites: CrashSites },
    private readonly directory: string,
    private readonly prefix: string,
  ) {}

  /**
   * Durable when it resolves; replaces the operation's earlier intent. Rejects with `storage-full` or `outcome-unknown`, naming
   * the file, which then holds the old or the new intent.
   */
  async keep(intent: Intent): Promise<void> {
    this.ports.crashSites.reach('cluster.keep.before');
    const path = this.pathOf(intent.id);
    const bytes = Buffer.from(`${JSON.stringify({ format: 1, intent })}\n`);
    await replaceFile(this.ports.disk, path, (file) => file.write(bytes, 0)).catch((cause: unknown) => {
      throw notDurable(path, cause);
    });
    this.ports.crashSites.reach('cluster.keep.after');
  }

  /** Durable when it resolves. Rejects as `keep` does. */
  async forget(id: string): Promise<void> {
    const { disk, crashSites } = this.ports;
    crashSites.reach('cluster.forget.before');
    const path = this.pathOf(id);
    try {
      await disk.remove(path);
      await disk.synchronizeDirectory(this.directory);
    } catch (cause) {
      throw notDurable(path, cause);
    }
    crashSites.reach('cluster.forget.after');
  }

  /** Returns the oldest first. Throws `data-corrupt` for a file that no client wrote. */
  async all(): Promise<readonly Intent[]> {
    const intents: Intent[] = [];
    for (const path of await this.paths(ENDING)) {
      const bytes = await this.ports.disk.read(path);
      if (bytes !== undefined) intents.push(intentIn(bytes, path));
    }
    return intents.toSorted((left, right) => left.startedAtMs - right.startedAtMs);
  }

  /** Whether no intents are left, intact or damaged. Removes incomplete files of a crash. */
  async tidy(): Promise<boolean> {
    for (const path of await this.paths(TEMPORARY)) await this.ports.disk.remove(path);
    return (await this.paths(ENDING)).length === 0;
  }

  private async paths(ending: string): Promise<readonly string[]> {
    const names = await this.ports.disk.list(this.directory);
    return names
      .filter((name) => name.startsWith(this.prefix) && name.endsWith(ending))
      .map((name) => join(this.directory, name));
  }

  private pathOf(id: string): string {
    return join(this.directory, `${this.prefix}${id}${ENDING}`);
  }
}

function intentIn(bytes: Buffer, path: string): Intent {
  try {
    return fileSchema.parse(JSON.parse(bytes.toString())).intent;
  } catch (cause) {
    throw new AppError('data-corrupt', `${path} does not hold an open operation of a cluster client: move it away`, {
      retry: 'never',
      cause,
    });
  }
}

function notDurable(path: string, cause: unknown): AppError {
  const { code, message } = cause as { code?: unknown; message: string };
  const why = typeof code === 'string' ? code : message;
  return new AppError(
    code === 'ENOSPC' ? 'storage-full' : 'outcome-unknown',
    `Cannot save the operation in ${path}: ${why}`,
    { retry: 'unknown', cause },
  );
}
