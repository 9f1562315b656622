// Puts each process of dist/ and all it imports into one file. Loading hundreds of small modules is most of a start:
// one file starts in about half the time. What tsc made stays beside it and behaves the same.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { build } from 'esbuild';

/** Native code, and files that a package finds relative to itself. */
const LEFT_IN_NODE_MODULES = ['@node-rs/argon2', 'better-sqlite3', 'swagger-ui-dist'];

/** Optional parts of frameworks that are asked for by name and may be missing: they stay missing. */
const OPTIONAL = [
  '@fastify/multipart',
  '@fastify/static',
  '@fastify/view',
  '@google-cloud/spanner',
  '@grpc/*',
  '@mikro-orm/*',
  '@nestjs/axios',
  '@nestjs/microservices',
  '@nestjs/mongoose',
  '@nestjs/platform-express',
  '@nestjs/sequelize',
  '@nestjs/websockets',
  '@prisma/*',
  '@sap/hana-client',
  'class-transformer',
  'class-validator',
  'mongodb',
  'mssql',
  'mysql',
  'mysql2',
  'oracledb',
  'pg',
  'pg-native',
  'pg-query-stream',
  'react-native-sqlite-storage',
  'redis',
  'sql.js',
  'sqlite3',
  'typeorm-aurora-data-api-driver',
];

const PROCESSES = ['api', 'reader', 'replica', 'gateway', 'supervisor', 'cli', 'checker', 'hasher'];
/** Folders of examples/, which an image is built without. */
const EXAMPLES = existsSync('examples') ? readdirSync('examples') : [];
const BUNDLES = 'dist/bundle';
const WARM_START_MS = 30_000;
const APP_RUNS = /^app\.json$/;
const ENDS_BY_ITSELF = /$^/;
/** A node that no command can call. */
const NOBODY = '127.0.0.1:1';

/**
 * V8 takes the compiled code from a file instead of compiling megabytes again; another V8 refuses it and compiles. Where the
 * driver of SQLite would end the process without a word, for want of Node-API 10, there is a line instead.
 */
const launcherOf = (name) => `import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

if (Number(process.versions.napi) < 10) {
  console.error('Bifolio needs Node 22.14 or later, but this is ' + process.versions.node + ': run "npm start", which downloads one.');
  process.exit(1);
}
const filename = fileURLToPath(new URL('./${name}.cjs', import.meta.url));
let cachedData;
try {
  cachedData = readFileSync(filename + '.cache');
} catch {}
const script = new Script(readFileSync(filename, 'utf8'), { filename, cachedData });
const module = { exports: {} };
if (process.env.BIFOLIO_COMPILE_CACHE === 'write') {
  process.once('exit', () => writeFileSync(filename + '.cache', script.createCachedData()));
}
script.runInThisContext()(module.exports, createRequire(filename), module, filename, dirname(filename));
`;

/** Starts and stops processes once, one after the other on data of their own. Without the cache everything works as well, only slower. */
async function writeCompileCaches(...processes) {
  const data = mkdtempSync(join(tmpdir(), 'bifolio-build-'));
  for (const [name, runFile, ...args] of processes) await writeCompileCache(data, name, runFile, args);
  rmSync(data, { recursive: true, force: true });
}

/** The cache holds what a start really calls. `runFile`: matches the name of what the process writes as soon as it is ready. */
async function writeCompileCache(data, name, runFile, args) {
  rmSync(`${BUNDLES}/${name}.cjs.cache`, { force: true });
  const child = spawn(process.execPath, [resolve(BUNDLES, `${name}.mjs`), ...args], {
    cwd: data,
    env: {
      PATH: process.env.PATH,
      ...{ DATA_DIR: data, REPLICAS_DIR: join(data, 'replicas'), REPLICA_PORTS: '', PORT: '0', GATEWAY_PORT: '0' },
      ...{ NODES: NOBODY, LOG_LEVEL: 'silent', BIFOLIO_COMPILE_CACHE: 'write' },
    },
    stdio: 'ignore',
  });
  const exited = new Promise((settle) => child.once('exit', settle));
  const deadline = Date.now() + WARM_START_MS;
  const isReady = () => readdirSync(data, { recursive: true }).some((path) => runFile.test(path));
  while (!isReady() && child.exitCode === null && Date.now() < deadline) await delay(20);
  child.kill('SIGTERM');
  const giveUp = setTimeout(() => child.kill('SIGKILL'), WARM_START_MS);
  await exited;
  clearTimeout(giveUp);
}

/** Messages in forty languages, of which none is spoken here, are a third of what a small process loads. */
const withoutForeignWords = {
  name: 'without-foreign-words',
  setup: ({ onLoad }) => {
    onLoad({ filter: /[/\\]zod[/\\]v4[/\\]locales[/\\][^/\\]+\.js$/ }, ({ path }) =>
      ['en.js', 'index.js'].includes(basename(path)) ? undefined : { contents: 'export default undefined;' },
    );
  },
};

/** An example names the sources of what it shows; it runs with what tsc made of them. */
const withBuiltSources = {
  name: 'with-built-sources',
  setup: ({ onResolve }) => {
    onResolve({ filter: /^[.][.]\/[.][.]\/src\// }, ({ path, importer }) =>
      /[/\\]examples[/\\]/.test(importer) ? { path: resolve(path.replace('../../src', 'dist')) } : undefined,
    );
  },
};

await build({
  entryPoints: {
    ...Object.fromEntries(PROCESSES.map((name) => [name, `dist/main/${name}/main.js`])),
    ...Object.fromEntries(EXAMPLES.map((name) => [name, `examples/${name}/main.ts`])),
  },
  outdir: BUNDLES,
  outExtension: { '.js': '.cjs' },
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node22.14',
  supported: { 'dynamic-import': false },
  minifySyntax: true,
  minifyWhitespace: true,
  external: [
    ...LEFT_IN_NODE_MODULES,
    ...OPTIONAL,
    ...OPTIONAL.filter((name) => !name.endsWith('*')).map((name) => `${name}/*`),
  ],
  plugins: [withoutForeignWords, withBuiltSources],
  define: { 'import.meta.url': '__bundleUrl' },
  banner: {
    js: "(function(exports,require,module,__filename,__dirname){const __bundleUrl=require('node:url').pathToFileURL(__filename).href;",
  },
  footer: { js: '})' },
  logLevel: 'warning',
});
for (const name of [...PROCESSES, ...EXAMPLES]) writeFileSync(`${BUNDLES}/${name}.mjs`, launcherOf(name));
await Promise.all([
  writeCompileCaches(['api', APP_RUNS], ['reader', /^reader-\d+\.json$/, '--reader']),
  writeCompileCaches(['replica', /replica\.json$/], ['gateway', /^gateway\.json$/]),
  writeCompileCaches(['cli', ENDS_BY_ITSELF, 'cluster', 'create', 'warm', '--attempts', '1']),
  ...EXAMPLES.map((name) => writeCompileCaches([name, APP_RUNS])),
]);
