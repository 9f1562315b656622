import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RecordingProcessControl } from '../../../test/support/recording-process-control.js';
import { NO_CRASH_SITES } from '../crash-sites/index.js';
import { NodeDisk } from '../disk/index.js';
import { nextTurn, systemClock, systemRandom } from '../process/index.js';
import { DocumentStore } from './document-store.js';

describe('closing a document store', () => {
  let directory: string;
  const warnings: string[] = [];

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'bifolio-close-'));
    warnings.length = 0;
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  const open = (): Promise<DocumentStore> =>
    DocumentStore.open(
      {
        disk: new NodeDisk(),
        nextTurn,
        clock: systemClock,
        random: systemRandom,
        crashSites: NO_CRASH_SITES,
        process: new RecordingProcessControl(),
        log: { info: () => undefined, warn: (message) => warnings.push(message) },
      },
      {
        directory,
        collections: [{ name: 'customers', counterField: 'orders_count' }],
        snapshotEveryBytes: 100_000,
        journalReserveBytes: 0,
      },
    );

  it('with writes under way that call for a snapshot of their own, leaves a store that opens with all of them', async () => {
    const store = await open();
    const write = (id: number): Promise<unknown> =>
      store.create('customers', { name: 'x'.repeat(190), email: 'a@b' }, { id: `op ${String(id)}` });
    await Promise.all(Array.from({ length: 4_000 }, (_, id) => write(id)));
    const underWay = Array.from({ length: 6_000 }, (_, id) => write(4_000 + id));

    await Promise.all([store.close(), ...underWay]);

    const again = await open();
    expect([again.page('customers', 0, 1).total, warnings]).toEqual([10_000, []]);
    await again.close();
  });
});
