import type { Clock, Disk } from '../../../kernel/index.js';
import type { Said } from '../said.js';

/** Knows of one kind of data how much of it was durable, and so what is missing. */
export interface LossWitness {
  /** In words that name the file, what is expected and what is found; undefined when nothing is missing. Changes nothing. */
  find(): Promise<string | undefined>;
  /** From now on nobody expects what is missing; durable when it resolves. */
  accept(): Promise<void>;
}

export interface AcceptLossPorts {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly witnesses: readonly LossWitness[];
  /** A line of JSON is added for each loss that was accepted. */
  readonly record: string;
}

/** Accepts all that is missing. Each loss is written down, with the reason, before it is accepted. */
export async function acceptLoss({ witnesses, ...ports }: AcceptLossPorts, reason: string): Promise<Said> {
  const accepted: string[] = [];
  for (const witness of witnesses) {
    const lost = await witness.find();
    if (lost === undefined) continue;
    await writeDown(ports, { at: new Date(ports.clock.nowMs()).toISOString(), lost, reason });
    await witness.accept();
    accepted.push(lost);
  }
  if (accepted.length === 0)
    return { exitCode: 0, lines: ['Nothing that was durable is missing: there was nothing to accept.'] };
  return {
    exitCode: 0,
    lines: [
      ...accepted.map((lost) => `accepted: ${lost} (${reason})`),
      `What is missing does not come back by this; ${ports.record} keeps what you said.`,
      '"npm start" goes on from here.',
    ],
  };
}

async function writeDown({ disk, record }: Pick<AcceptLossPorts, 'disk' | 'record'>, entry: object): Promise<void> {
  const before = (await disk.read(record))?.length ?? 0;
  const file = await disk.open(record);
  try {
    await file.write(Buffer.from(`${JSON.stringify(entry)}\n`), before);
    await file.synchronize();
  } finally {
    await file.close();
  }
}
