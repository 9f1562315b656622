import { expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launchChild } from './launch.js';
import { isAlive } from './process-table.js';

it('given a process whose address cannot be noted, kills it and reports why', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'bifolio-launch-'));
  const path = join(directory, 'missing', 'child.json');
  try {
    const child = launchChild({
      ...{ program: process.execPath, args: ['-e', 'setTimeout(() => {}, 2_000)'], environment: {} },
      log: join(directory, 'child.log'),
      probe: () => Promise.resolve({ state: 'silent' }),
      runFile: { path, program: /node/, url: 'http://127.0.0.1:1' },
      complaintIn: () => undefined,
    });

    const { pid = 0, signal, complaint } = await child.exited;
    expect([signal, complaint]).toEqual(['SIGKILL', expect.stringContaining(path)]);
    expect([isAlive(pid), await child.ready]).toEqual([false, undefined]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
