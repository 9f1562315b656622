import { statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from './expect.js';
import { CONNECTIONS } from './load.js';

const SETTLE_MS = 100;

/** How many rows `list` holds, by its own count. */
export async function storedRows(url: string, list: string): Promise<number> {
  const response = await fetch(`${url}${list}?limit=1`);
  await response.arrayBuffer();
  expect(response.status === 200, `${list} was answered with ${response.status}`);
  return Number(response.headers.get('x-total-count'));
}

export function storedRecords(file: string, recordBytes: number): number {
  return statSync(file).size / recordBytes;
}

/**
 * Runs `write`, which resolves to how many writes were acknowledged, and compares with what is stored afterwards. When
 * the load stops, each connection may have one more under way; those of an earlier load are waited for before.
 */
export async function checkStored(count: () => number | Promise<number>, write: () => Promise<number>): Promise<void> {
  const before = await settled(count);
  const acknowledged = await write();
  const stored = (await settled(count)) - before;
  expect(
    stored >= acknowledged && stored <= acknowledged + CONNECTIONS,
    `${acknowledged} writes were acknowledged and ${stored} are stored`,
  );
}

async function settled(count: () => number | Promise<number>): Promise<number> {
  let now = await count();
  for (let earlier = -1; earlier !== now; now = await count()) {
    earlier = now;
    await delay(SETTLE_MS);
  }
  return now;
}
