/**
 * The least that makes a checkout durable in three SQLite files: five commits one after the other, one request at a time. Nothing is
 * checked, shared or remembered.
 */
import { createServer } from 'node:http';
import BetterSqlite3 from 'better-sqlite3';

const FILES = ['orders', 'payment', 'stock'] as const;
/** The order begins, credit is held, stock is taken, credit is captured, the order is paid. */
const COMMITS = ['orders', 'payment', 'stock', 'payment', 'orders'] as const;

const path = process.env['FILE'] ?? '';
const inserts = Object.fromEntries(
  FILES.map((name) => {
    const database = new BetterSqlite3(`${path}.${name}.db`);
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.exec('CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, content TEXT)');
    return [name, database.prepare<[string]>('INSERT INTO rows (content) VALUES (?)')];
  }),
) as Record<(typeof FILES)[number], BetterSqlite3.Statement<[string]>>;

createServer((request, response) => {
  if (request.method !== 'POST') {
    response.end('ready');
    return;
  }
  request.resume().on('end', () => {
    for (const name of COMMITS) inserts[name].run(request.url ?? '');
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"stored":true}');
  });
}).listen(Number(process.env['PORT']), '127.0.0.1');
