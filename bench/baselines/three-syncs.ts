/**
 * The least that makes a POST durable in two stores as a two-phase commit does, one request at a time: a record of 200
 * bytes and its fdatasync, a row and its SQL commit, a record and its fdatasync. Nothing is shared, checked or cached.
 */
import { fdatasync, openSync, write } from 'node:fs';
import { createServer } from 'node:http';
import { promisify } from 'node:util';
import BetterSqlite3 from 'better-sqlite3';

const RECORD_BYTES = 200;
const path = process.env['FILE'] ?? '';
const log = openSync(path, 'a');
const database = new BetterSqlite3(`${path}.db`);
database.pragma('journal_mode = WAL');
database.pragma('synchronous = FULL');
database.exec('CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, content TEXT)');
const insert = database.prepare<[string]>('INSERT INTO rows (content) VALUES (?)');
const count = database.prepare<[], number>('SELECT count(*) FROM rows').pluck();
const rowCount = (): string => String(count.get());
const writeAll = promisify(write);
const synchronize = promisify(fdatasync);

async function append(content: string): Promise<void> {
  const record = Buffer.from(`${content.slice(0, RECORD_BYTES - 1).padEnd(RECORD_BYTES - 1)}\n`, 'latin1');
  const { bytesWritten } = await writeAll(log, record);
  if (bytesWritten < record.length) throw new Error('a short write');
  await synchronize(log);
}

async function store(body: string): Promise<void> {
  const content = JSON.stringify(JSON.parse(body));
  await append(content);
  insert.run(content);
  await append(content);
}

createServer((request, response) => {
  if (request.method !== 'POST') {
    response.writeHead(200, { 'x-total-count': rowCount() }).end('ready');
    return;
  }
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => {
    body += chunk;
  });
  request.on('end', () => {
    void store(body).then(() => {
      response.writeHead(201, { 'content-type': 'application/json' }).end('{"stored":true}');
    });
  });
}).listen(Number(process.env['PORT']), '127.0.0.1');
