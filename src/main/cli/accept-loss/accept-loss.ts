import { type Clock, type Disk, isAppError } from '../../../kernel/index.js';
import { acceptedLossesIn, writeDownLoss } from '../accepted-losses.js';
import type { CommandOutput } from '../command-output.js';

/** Knows how much of one kind of data was durable, and so what is missing. */
export interface LossWitness {
  /** Names the file, what is expected and what is found; undefined when nothing is missing. Read-only. */
  find(): Promise<string | undefined>;
  /** Stops expecting what is missing; durable when it resolves. */
  accept(): Promise<void>;
}

export interface WitnessedDirectory {
  readonly path: string;
  readonly witnesses: readonly LossWitness[];
  /** Runs `work` with exclusive use of the directory. Throws `data-directory-locked` when another process holds it. */
  whileUnused<T>(work: () => Promise<T>): Promise<T>;
}

export interface AcceptLossPorts {
  readonly disk: Disk;
  readonly clock: Clock;
}

/** Accepts all that is missing in unused directories. Writes down each loss with the reason before it accepts the loss. */
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
      left.push(`skipped: ${error.message}`);
    }
  }
  if (accepted.length > 0) return { exitCode: 0, lines: [...accepted, ...left, 'Run "npm start" to continue.'] };
  if (left.length > 0) return { exitCode: 1, lines: [...left, 'Nothing was accepted.'] };
  return { exitCode: 0, lines: ['Nothing to accept: no durable data is missing.'] };
}

async function acceptIn(
  ports: AcceptLossPorts,
  { path, witnesses }: WitnessedDirectory,
  reason: string,
): Promise<readonly string[]> {
  const accepted: string[] = [];
  for (const witness of witnesses) {
    const lost = await witness.find();
    if (lost === undefined) continue;
    await writeDownLoss(ports, path, { lost, reason });
    await witness.accept();
    accepted.push(`accepted: ${lost} (${reason})`);
  }
  if (accepted.length === 0) return [];
  return [...accepted, `The missing data stays lost; ${acceptedLossesIn(path)} records the reason.`];
}
