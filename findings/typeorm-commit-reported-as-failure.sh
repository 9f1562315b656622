#!/usr/bin/env bash
# A subscriber that fails after a commit makes TypeORM report the transaction as failed, although it is committed.
#
# EntitySubscriberInterface.afterTransactionCommit runs inside commitTransaction(). When it rejects, so does
# DataSource.transaction(), with the subscriber's error, and nothing distinguishes that from a transaction that was rolled back.
# A caller that tries again writes twice. A coordinator of two stores must not take a rejected commit for a "no".
#
# Run it with Node 22.14 or later: bash findings/typeorm-commit-reported-as-failure.sh. It ends with 1 if the behaviour
# differs.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps typeorm@1.1.1 better-sqlite3@13.2.0 reflect-metadata@0.2.2
cat > run.mjs <<'JS'
import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { DataSource, EntitySchema } from 'typeorm';

const Order = new EntitySchema({
  name: 'Order',
  columns: { id: { type: Number, primary: true, generated: true }, book: { type: String } },
});
/** A mail that is sent once the order is safe: a usual reason for this hook. */
class MailAfterCommit {
  afterTransactionCommit() {
    throw new Error('the mail server is away');
  }
}
const source = await new DataSource({
  type: 'better-sqlite3',
  database: 'orders.db',
  entities: [Order],
  subscribers: [],
  synchronize: true,
}).initialize();
source.subscribers.push(new MailAfterCommit());

const attempt = () =>
  source
    .transaction((manager) => manager.insert(Order, { book: 'SICP' }))
    .then(() => 'resolved', (error) => `rejected with "${error.message}"`);
const answers = [await attempt(), await attempt()];
const rows = await source.query('SELECT count(*) AS rows FROM "order"');
const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
console.log(`typeorm ${version('typeorm')}, better-sqlite3 ${version('better-sqlite3')}, Node ${process.versions.node}`);
console.log(`transaction: ${answers[0]}; tried again: ${answers[1]}`);
console.log(`rows in the file: ${rows[0].rows}`);
await source.destroy();
const isAsSeen = answers.every((answer) => answer === 'rejected with "the mail server is away"') && rows[0].rows === 2;
console.log(isAsSeen ? 'as seen: both were reported as failed, both are committed' : 'CHANGED: this is another behaviour');
process.exitCode = isAsSeen ? 0 : 1;
JS
node run.mjs
