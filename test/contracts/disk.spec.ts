import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NodeDisk } from '../../src/platform/disk/index.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { describeDiskContract } from './disk-contract.js';

describeDiskContract('NodeDisk', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'bifolio-disk-'));
  return { disk: new NodeDisk(), directory, dispose: () => rm(directory, { recursive: true }) };
});

describeDiskContract('SimulatedDisk', async () => {
  const disk = new SimulatedDisk().attach();
  await disk.ensureDirectory('/simulated');
  return { disk, directory: '/simulated', dispose: () => Promise.resolve() };
});
