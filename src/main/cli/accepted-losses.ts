import { join } from 'node:path';
import type { Clock, Disk } from '../../kernel/index.js';

/** One line of JSON per accepted loss. */
export function acceptedLossesIn(directory: string): string {
  return join(directory, 'accepted-losses.log');
}

/** Durable when it resolves. */
export async function writeDownLoss(
  { disk, clock }: { readonly disk: Disk; readonly clock: Clock },
  directory: string,
  loss: { readonly lost: string | readonly string[]; readonly reason: string },
): Promise<void> {
  const record = acceptedLossesIn(directory);
  const before = (await disk.read(record))?.length ?? 0;
  const file = await disk.open(record);
  try {
    const entry = { at: new Date(clock.nowMs()).toISOString(), ...loss };
    await file.write(Buffer.from(`${JSON.stringify(entry)}\n`), before);
    await file.synchronize();
  } finally {
    await file.close();
  }
}
