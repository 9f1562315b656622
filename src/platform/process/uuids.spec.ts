import { describe, expect, it } from '@jest/globals';
import type { Random } from '../../kernel/index.js';
import { systemRandom } from './system-ports.js';
import { risingUuids, uuids } from './uuids.js';

const VERSION_7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const NOW_MS = Date.UTC(2026, 0, 1);
const ones: Random = { bytes: (length) => new Uint8Array(length).fill(0xff) };
const timeOf = (id: string): number => Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);

describe('uuids', () => {
  it('are of version 7, contain the time of the clock and do not repeat', () => {
    const next = uuids({ clock: { nowMs: () => NOW_MS }, random: systemRandom });
    const ids = Array.from({ length: 1_000 }, next);
    expect(ids.every((id) => VERSION_7.test(id) && timeOf(id) === NOW_MS)).toBe(true);
    expect(new Set(ids).size).toBe(1_000);
  });
});

describe('rising uuids', () => {
  it('given one millisecond, rise', () => {
    const next = risingUuids({ clock: { nowMs: () => NOW_MS }, random: systemRandom });
    const ids = Array.from({ length: 10_000 }, next);
    expect(ids).toEqual([...new Set(ids)].sort());
    expect(ids.every((id) => VERSION_7.test(id))).toBe(true);
  });

  it('given a clock that is set back, rise', () => {
    let nowMs = NOW_MS;
    const next = risingUuids({ clock: { nowMs: () => (nowMs -= 1_000) }, random: systemRandom });
    const ids = Array.from({ length: 1_000 }, next);
    expect(ids).toEqual([...ids].sort());
  });

  it('given a clock that advances, follow it', () => {
    let nowMs = NOW_MS;
    const next = risingUuids({ clock: { nowMs: () => (nowMs += 1) }, random: systemRandom });
    expect([next(), next()].map(timeOf)).toEqual([NOW_MS + 1, NOW_MS + 2]);
  });

  it('begin the count of a millisecond in the lower half', () => {
    const next = risingUuids({ clock: { nowMs: () => NOW_MS }, random: ones });
    const [first, second] = [next(), next()];
    expect(first.slice(14)).toMatch(/^77ff-/);
    expect(second.slice(14)).toMatch(/^7800-/);
  });
});
