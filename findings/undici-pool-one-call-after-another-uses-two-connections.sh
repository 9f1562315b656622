#!/usr/bin/env bash
# undici's Pool opens a second connection for calls that are made strictly one after another.
#
# A connection whose answer has arrived takes the next call only one turn of the event loop later (setImmediate). A caller that awaits
# an answer and calls again at once finds the connection busy, so the Pool opens another one, and from then on the calls alternate
# between the two. A log that ships its records, one batch after another, thus keeps two connections and waits for no reason that its
# author sees. With `connections: 1` the calls share one connection, and each waits for that turn. node:http's Agent needs one
# connection for the same calls.
#
# Run it with Node 22.14 or later: bash findings/undici-pool-one-call-after-another-uses-two-connections.sh. It ends with 1 if the
# behaviour differs.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts undici@7.30.2
cat > run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { Pool } from 'undici';

const CALLS = 20;
let connections = [];
const server = http.createServer((request, response) => {
  connections.push(request.socket.remotePort);
  request.resume().on('end', () => response.end('ok'));
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address();

async function callInTurn(call) {
  connections = [];
  for (let n = 0; n < CALLS; n += 1) await call();
  return new Set(connections).size;
}
async function withPool(options) {
  const pool = new Pool(`http://127.0.0.1:${port}`, options);
  const used = await callInTurn(async () => {
    const { body } = await pool.request({ path: '/', method: 'POST', body: 'x' });
    await body.text();
  });
  await pool.close();
  return used;
}
async function withAgent() {
  const agent = new http.Agent({ keepAlive: true });
  const used = await callInTurn(
    () =>
      new Promise((resolve, reject) => {
        const request = http.request({ port, host: '127.0.0.1', method: 'POST', agent }, (response) => {
          response.resume().on('end', resolve);
        });
        request.on('error', reject);
        request.end('x');
      }),
  );
  agent.destroy();
  return used;
}

const seen = {
  'node:http Agent': await withAgent(),
  'undici Pool': await withPool({}),
  'undici Pool, connections: 1': await withPool({ connections: 1 }),
};
const version = JSON.parse(readFileSync('node_modules/undici/package.json', 'utf8')).version;
console.log(`Node ${process.version}, undici ${version}: connections used by ${CALLS} calls, each after the answer of the one before`);
for (const [client, used] of Object.entries(seen)) console.log(`  ${client}: ${used}`);
server.close();
process.exitCode = JSON.stringify(Object.values(seen)) === '[1,2,1]' ? 0 : 1;
JS
node run.mjs
