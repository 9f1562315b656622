/**
 * Runs the checks that every commit must pass, in about a minute: `npm run check`. Independent steps run side by side.
 * `--without-tests` skips the unit tests, for callers that run `npm test` as well.
 */
import { spawn } from 'node:child_process';
import os from 'node:os';
import { join } from 'node:path';
import { commandLine } from './command-line.mjs';
import { ensureDependencies, ensureNode, orExplain, ROOT } from './provision.mjs';

const packageFile = (path) => join(ROOT, 'node_modules', path);

/** By content: a file that did not change is not checked again. */
const cacheOf = (tool) => [
  '--cache',
  '--cache-location',
  join(ROOT, '.check-cache', tool),
  '--cache-strategy',
  'content',
];

/** Longest first, so that none is left over at the end. */
const TESTS = { name: 'unit tests', args: [join(ROOT, 'scripts/test.mjs'), '--only', 'unit'] };
const CHECKS = [
  { name: 'lint', args: [packageFile('eslint/bin/eslint.js'), '.', '--max-warnings', '0', ...cacheOf('eslint')] },
  { name: 'types', args: [packageFile('typescript/bin/tsc'), '-p', 'tsconfig.check.json'] },
  { name: 'format', args: [packageFile('prettier/bin/prettier.cjs'), '--check', '.', ...cacheOf('prettier')] },
  { name: 'import-rules', args: [join(ROOT, 'scripts/import-rules.mjs')] },
];

function run({ name, args }) {
  const startedMs = Date.now();
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = [];
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.on('data', (chunk) => output.push(chunk));
    child.on('error', (error) => output.push(Buffer.from(error.message)));
    child.on('close', (code) => {
      const seconds = ((Date.now() - startedMs) / 1000).toFixed(1);
      console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name.padEnd(10)} ${seconds.padStart(6)} s`);
      if (code !== 0) console.log(`\n${Buffer.concat(output).toString().trimEnd()}\n`);
      resolve(code === 0);
    });
  });
}

await orExplain(async () => {
  await ensureNode();
  ensureDependencies();
});

const { withoutTests } = (await commandLine('npm run check', 'Runs the checks that every commit must pass.'))
  .option('--without-tests', 'skip the unit tests')
  .parse()
  .opts();
const waiting = withoutTests ? [...CHECKS] : [TESTS, ...CHECKS];
const outcomes = [];
const worker = async () => {
  for (let step = waiting.shift(); step; step = waiting.shift()) outcomes.push(await run(step));
};
await Promise.all(Array.from({ length: Math.max(2, os.availableParallelism()) }, worker));
process.exitCode = outcomes.every(Boolean) ? 0 : 1;
