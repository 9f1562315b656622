import { join } from 'node:path';
import { type Clock, type Disk, isAppError } from '../../../kernel/index.js';
import type { CommandOutput } from '../command-output.js';

/** Knows of one kind of data how much of it was durable, and so what is missing. */
export interface LossWitness {
  /** In words that name the file, what is expected and what is found; undefined when nothing is missing. Changes nothing. */
  find(): Promise<string | undefined>;
  /** From now on nobody expects what is missing; durable when it resolves. */
  accept(): Promise<void>;
}

/** A directory that one process has for itself, and what may be missing in it. */
export interface WitnessedDirectory {
  readonly path: string;
  readonly witnesses: readonly LossWitness[];
  /** Runs `work` while nobody else has the directory. Throws `data-directory-locked` when somebody has. */
  whileUnused<T>(work: () => Promise<T>): Promise<T>;
}

export interface AcceptLossPorts {
  readonly disk: Disk;
  readonly clock: Clock;
}

/** In each directory a line of JSON is added for each loss in it that was accepted. */
const RECORD = 'accepted-losses.log';

/**
 * Accepts all that is missing in directories that nobody uses. Each loss is written down, with the reason, before it is
 * accepted.
 */
export async function acceptLoss(
  ports: AcceptLossPorts,
  directories: readonly WitnessedDirectory[],
  reason: string,
): Promise<CommandOutput> {
  const accepted: string[] = [];
  const left: string[] = [];
  for (const directory of directories) {
    try {
      accepted.push(...(await directory.whileUnused(() => acceptIn(ports, directory, reason))));
    } catch (error) {
      if (!isAppError(error)) throw error;
      left.push(`not looked at: ${error.message}`);
    }
  }
  if (accepted.length > 0) return { exitCode: 0, lines: [...accepted, ...left, '"npm start" goes on from here.'] };
  if (left.length > 0) return { exitCode: 1, lines: [...left, 'Nothing was accepted.'] };
  return { exitCode: 0, lines: ['Nothing that was durable is missing: there was nothing to accept.'] };
}

async function acceptIn(
  ports: AcceptLossPorts,
  { path, witnesses }: WitnessedDirectory,
  reason: string,
): Promise<readonly string[]> {
  const accepted: string[] = [];
  const record = join(path, RECORD);
  for (const witness of witnesses) {
    const lost = await witness.find();
    if (lost === undefined) continue;
    await writeDown(ports.disk, record, { at: new Date(ports.clock.nowMs()).toISOString(), lost, reason });
    await witness.accept();
    accepted.push(`accepted: ${lost} (${reason})`);
  }
  if (accepted.length === 0) return [];
  return [...accepted, `What is missing does not come back by this; ${record} keeps what you said.`];
}

async function writeDown(disk: Disk, record: string, entry: object): Promise<void> {
  const before = (await disk.read(record))?.length ?? 0;
  const file = await disk.open(record);
  try {
    await file.write(Buffer.from(`${JSON.stringify(entry)}\n`), before);
    await file.synchronize();
  } finally {
    await file.close();
  }
}
