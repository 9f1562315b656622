import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OtherProcess } from '../../../../test/support/other-process.js';
import { NodeDisk } from '../../../platform/disk/index.js';
import { newIntent } from '../core/intent.js';
import { IntentStore } from './intent-store.js';

/** Holds the lock of a client named `other`, as another process does, and prints `held`. */
const HOLD = `
const Database = require('better-sqlite3');
const handle = new Database(process.argv[1] + '/other.lock.db', { timeout: 0 });
handle.pragma('locking_mode = EXCLUSIVE');
handle.exec('BEGIN EXCLUSIVE');
console.log('held');
setInterval(() => handle.open, 1000);
`;

const intent = newIntent('op', { kind: 'create', groupId: 'g' }, ['a:1'], 0);
const text = JSON.stringify({ format: 1, intent });

describe('the intent store', () => {
  let directory: string;
  let names: number;
  let others: OtherProcess[];

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'bifolio-shelf-'));
    names = 0;
    others = [];
  });

  afterEach(async () => {
    for (const other of others) await other.end();
    rmSync(directory, { recursive: true, force: true });
  });

  const storeOf = (newName = (): string => `me-${String((names += 1))}`, where = directory): IntentStore =>
    new IntentStore({ disk: new NodeDisk(), crashSites: { reach: () => undefined } }, where, newName);

  async function otherProcess(): Promise<OtherProcess> {
    const other = new OtherProcess(HOLD, [directory]);
    others.push(other);
    await other.prints('held');
    return other;
  }

  it('given a closed client without open operations, leaves no lock behind', async () => {
    const mine = await storeOf().begin();
    expect(readdirSync(directory)).toContain('me-1.lock.db');
    await mine.files.keep(intent);
    await mine.files.forget('op');
    await mine.release();

    expect(readdirSync(directory)).toEqual([]);
  });

  it('given a closed client, hands its open operations to the next client', async () => {
    const store = storeOf();
    const mine = await store.begin();
    await mine.files.keep(intent);
    expect(await store.orphans()).toEqual({ held: [], others: [] });
    await mine.release();

    const { held, others } = await store.orphans();

    expect([held.length, others, await held[0]!.files.all()]).toEqual([1, [], [intent]]);
    expect(await store.orphans()).toEqual({ held: [], others: [] });
    await held[0]!.files.forget('op');
    await held[0]!.release();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('given a client in another process, hands over its operations only after that process was killed', async () => {
    const other = await otherProcess();
    writeFileSync(join(directory, 'other.op.json'), text);

    expect(await storeOf().orphans()).toEqual({ held: [], others: [intent] });
    await other.end();
    const { held, others } = await storeOf().orphans();
    expect([held.length, others, await held[0]!.files.all()]).toEqual([1, [], [intent]]);

    await held[0]!.release();
    expect(readdirSync(directory).sort()).toEqual(['other.lock.db', 'other.op.json']);
  });

  it('hands over operations whose lock file is missing', async () => {
    writeFileSync(join(directory, 'lost.op.json'), text);

    const { held } = await storeOf().orphans();

    expect(await held[0]!.files.all()).toEqual([intent]);
    await held[0]!.release();
  });

  it('removes the incomplete file and the lock of a dead client', async () => {
    const other = await otherProcess();
    writeFileSync(join(directory, 'other.op.json.tmp'), '{');
    await other.end();

    const { held } = await storeOf().orphans();
    for (const orphan of held) await orphan.release();

    expect(readdirSync(directory)).toEqual([]);
  });

  it('gives a client another name when its own name is in use', async () => {
    await otherProcess();
    const left = ['other', 'other', 'free'];
    const mine = await storeOf(() => left.shift()!).begin();

    expect(left).toEqual([]);
    await mine.release();
    expect(readdirSync(directory).filter((name) => !name.startsWith('other.'))).toEqual([]);
  });

  it('rejects when every name is in use', async () => {
    await otherProcess();

    await expect(storeOf(() => 'other').begin()).rejects.toMatchObject({ code: 'data-directory-locked' });
  });

  it('given a damaged intent, releases it unread, so that another client can take it once it is repaired', async () => {
    writeFileSync(join(directory, 'lost.op.json'), 'damaged');
    const [first] = (await storeOf().orphans()).held;
    await expect(first!.files.all()).rejects.toMatchObject({ code: 'data-corrupt' });
    await first!.release();

    writeFileSync(join(directory, 'lost.op.json'), text);
    const [second] = (await storeOf().orphans()).held;
    expect(await second!.files.all()).toEqual([intent]);
    await second!.release();
  });

  it('given a directory that cannot be created, names it in one line', async () => {
    const file = join(directory, 'a file');
    writeFileSync(file, '');
    chmodSync(file, 0o600);

    const beginning = storeOf(undefined, join(file, 'cluster')).begin();

    await expect(beginning).rejects.toMatchObject({ code: 'misconfigured', retry: 'never' });
    await expect(beginning).rejects.toThrow(`Cannot save operations in ${join(file, 'cluster')}: ENOTDIR`);
  });
});
