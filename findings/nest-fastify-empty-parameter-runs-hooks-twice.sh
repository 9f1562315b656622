#!/usr/bin/env bash
# Nest on Fastify runs the preHandler hooks of a request twice when a parameter of its path is empty.
#
# @nestjs/platform-fastify answers a matched route whose parameter is empty with not-found, from inside the handler:
# reply.callNotFound(). Fastify then runs the preHandler hooks again, for the same request. A hook that counts, admits, charges
# or locks per request does so twice, and one that waits until the request it knows has ended waits for itself. Plain Fastify
# hands the empty parameter to the handler, and runs the hooks once.
#
# Run it with Node 22.14 or later: bash findings/nest-fastify-empty-parameter-runs-hooks-twice.sh. It ends with 1 if the
# behaviour differs.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps \
  @nestjs/core@12.5.1 @nestjs/common@12.5.0 @nestjs/platform-fastify@12.5.0 fastify@5.12.8 reflect-metadata@0.2.2 rxjs@7.8.2
cat > run.mjs <<'JS'
import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import Fastify from 'fastify';

class Books {
  one() {
    return 'a book';
  }
}
Controller('books')(Books);
Get(':id')(Books.prototype, 'one', Object.getOwnPropertyDescriptor(Books.prototype, 'one'));
class App {}
Module({ controllers: [Books] })(App);

/** How often the hook ran for each of these paths, and the statuses. */
async function ask(server, paths) {
  const seen = [];
  for (const url of paths) {
    runs = 0;
    const { statusCode } = await server.inject({ url });
    seen.push(`${url}: status ${statusCode}, hook ran ${runs}x`);
  }
  return seen;
}
let runs = 0;
const count = async () => {
  runs += 1;
};
const paths = ['/books/1', '/books/'];

const plain = Fastify();
plain.addHook('preHandler', count);
plain.get('/books/:id', () => 'a book');

const adapter = new FastifyAdapter();
adapter.getInstance().addHook('preHandler', count);
const app = await NestFactory.create(App, adapter, { logger: false });
await app.init();
await adapter.getInstance().ready();

const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
console.log(`@nestjs/platform-fastify ${version('@nestjs/platform-fastify')}, fastify ${version('fastify')}`);
const [ofFastify, ofNest] = [await ask(plain, paths), await ask(adapter.getInstance(), paths)];
console.log('Fastify alone  ', ofFastify.join('; '));
console.log('Nest on Fastify', ofNest.join('; '));
const isAsSeen =
  ofFastify.every((line) => line.endsWith('ran 1x')) && ofNest[0].endsWith('ran 1x') && ofNest[1].endsWith('ran 2x');
console.log(isAsSeen ? 'as seen: twice for the empty parameter under Nest' : 'CHANGED: this is another behaviour');
await app.close();
process.exitCode = isAsSeen ? 0 : 1;
JS
node run.mjs
