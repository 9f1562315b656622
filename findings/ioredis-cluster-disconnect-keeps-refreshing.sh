#!/usr/bin/env bash
# A Cluster of ioredis that is disconnected while it reads the slot map goes on reading it, and keeps its process alive.
#
# With `slotsRefreshInterval` set, ioredis arms the timer of the next refresh when a refresh ends. disconnect() clears the timer that
# is armed at that moment. During a refresh none is armed, so the end of that refresh arms one after disconnect(), and each refresh
# arms the next. A service that closes its Cluster on the way out then sometimes does not exit, and says nothing.
# A second disconnect() once the refresh is over clears the timer.
#
# The script needs redis-server 7 (Debian: apt-get install redis-server) and Node 22.14 or later:
# bash findings/ioredis-cluster-disconnect-keeps-refreshing.sh. It ends with 1 if the behaviour differs.
set -euo pipefail
folder=$(mktemp -d)
cd "$folder"
port=$(node -e 's = require("net").createServer().listen(20000 + process.pid % 9000, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
redis-server --port "$port" --bind 127.0.0.1 --cluster-enabled yes --cluster-announce-ip 127.0.0.1 --save '' --appendonly no --dir "$folder" >redis.log &
server=$!
trap 'kill $server; wait $server || true; rm -rf "$folder"' EXIT
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts ioredis@5.11.1
cat > run.mjs <<'JS'
import { setTimeout as delay } from 'node:timers/promises';
import { Cluster, Redis } from 'ioredis';

const [port, when] = [Number(process.argv[2]), process.argv[3]];
const node = new Redis({ host: '127.0.0.1', port });
if (!(await node.cluster('INFO')).includes('cluster_state:ok')) {
  await node.cluster('ADDSLOTSRANGE', 0, 16383);
  while (!(await node.cluster('INFO')).includes('cluster_state:ok')) await delay(20);
}
node.disconnect();

const cluster = new Cluster([{ host: '127.0.0.1', port }], { slotsRefreshInterval: 100 });
await new Promise((resolve) => cluster.once('ready', resolve));
while (cluster.isRefreshing !== (when === 'during')) await new Promise(setImmediate);
cluster.disconnect();
await delay(1_000);
const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
console.log(timers === 0 ? 'no timer is left' : 'a timer is left, and the process does not exit');
process.exit(timers === 0 ? 0 : 3);
JS
between=0 && timeout 30 node run.mjs "$port" between || between=$?
during=0 && timeout 30 node run.mjs "$port" during || during=$?
echo "Node $(node --version), ioredis $(node -p 'require("./node_modules/ioredis/package.json").version'), $(redis-server --version | cut -d' ' -f1-3)"
echo "  disconnect() between two refreshes: $([ $between = 0 ] && echo 'no timer is left' || echo 'a timer is left')"
echo "  disconnect() during a refresh: $([ $during = 0 ] && echo 'no timer is left' || echo 'a timer is left')"
[ "$between" = 0 ] && [ "$during" = 3 ]
