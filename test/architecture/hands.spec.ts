import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Simulation rests on cores without a clock, chance, timers or network, locks on files that nothing but SQLite opens, and
 * services on adapters that make the answers. Lint holds that; this proves that it does.
 */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TEST_TIMEOUT_MS = 60_000;

const HANDS = [
  'export const x = Date.now();',
  'export const x = new Date();',
  'export const x = Math.random();',
  'export const x = setTimeout(() => undefined, 1);',
  'export const x = setInterval(() => undefined, 1);',
  'export const x = setImmediate(() => undefined);',
  'export const x = (): unknown => fetch("");',
  'export const x = process.env;',
  ...['fs', 'fs/promises', 'http', 'net', 'timers', 'timers/promises'].map((name) => `export * from 'node:${name}';`),
  "import { randomBytes } from 'node:crypto';\nexport const x = randomBytes(1);",
];
const SLEEPS = [
  'export const x = new Promise((r) => setTimeout(r, 5));',
  'export const x = new Promise<void>((resolve) => { setTimeout(resolve, 5); });',
  "import { setTimeout as sleep } from 'node:timers/promises';\nexport const x = sleep;",
];
const ENVIRONMENT = ['export const x = process.env;', "import { env } from 'node:process';\nexport const x = env;"];

const SQLITE_FILES = [
  "export const x = 'bookstore.db';",
  "export const x = 'data/bookstore.db-wal';",
  'export const x = (file: string): string => `${file}-shm`;',
  'export const x = (folder: string): string => `${folder}/lock.db`;',
];
const HTTP_ANSWERS = [
  'export const x = { status: 201 };',
  'export interface X { readonly headers: object }',
  'export const x = (answer: { statusCode: number }): number => answer.statusCode;',
  'export const x = (location: string): string => location;',
  "export const x = { 'x-commit': '1.2' };",
  "export const x = ['X-Total-Count', '2'];",
  "export const x = '/books';",
  'export const x = (id: number): string => `/books/${String(id)}`;',
];
const HTTP_IMPORTS = ['acceptedAnswer', 'type Answer', 'nextPageLink', 'prepareBody', 'writtenAnswer'].map(
  (name) => `export { ${name} } from '../../platform/http/index.js';`,
);
const OPENINGS = [
  "export { readFileSync } from 'node:fs';",
  "import { openSync } from 'node:fs';\nexport const x = openSync;",
  "import { open } from 'node:fs/promises';\nexport const x = open;",
  "import * as fs from 'node:fs';\nexport const x = fs;",
];

const FORBIDDEN: readonly (readonly [place: string, code: readonly string[]])[] = [
  ['src/kernel/plant', HANDS],
  ['src/kernel/deep/plant', ["export * from 'zod';"]],
  ['src/protocols/any/core', HANDS],
  ['src/protocols/any/core/plant', HANDS],
  ['src/modules/any/core/plant', HANDS],
  ['src/platform/documents/any-machine', HANDS],
  ['src/platform/any/plant', ENVIRONMENT],
  ['src/modules/any/plant', ENVIRONMENT],
  ...['src/main/any/plant-sqlite', 'src/platform/any/plant-sqlite', 'src/modules/any/plant-sqlite'].map(
    (place) => [place, SQLITE_FILES] as const,
  ),
  ['src/platform/sql/plant', OPENINGS],
  ['test/any/plant', SLEEPS],
  ['src/kernel/plant-answers', HTTP_ANSWERS],
  ['src/modules/any/core/plant-answers', HTTP_ANSWERS],
  ['src/modules/any/plant-answers', [...HTTP_ANSWERS, ...HTTP_IMPORTS]],
];
const ALLOWED: readonly (readonly [place: string, code: readonly string[]])[] = [
  ['src/config/plant', ENVIRONMENT],
  ['src/platform/sql/plant-allowed', [...SQLITE_FILES, "export { statSync } from 'node:fs';"]],
  ['src/main/any/plant', ENVIRONMENT],
  ['src/platform/any/plant-allowed', [...HANDS.slice(0, 7), "export * from 'node:fs';"]],
  ['src/modules/any/adapters/http/plant', HTTP_ANSWERS],
  ['src/modules/any/plant-request', ["export type { Preconditions } from '../../platform/http/index.js';"]],
  ['src/protocols/any/shell', HANDS.slice(0, 7)],
  ['src/protocols/any/core-allowed', ["export { createHash } from 'node:crypto';", 'export const x = new Date(5);']],
];

const SPEC_PLACE = 'src/platform/any/plant';
const plantsOf = (list: typeof FORBIDDEN): [string, string][] =>
  list.flatMap(([place, code]) => code.map((text, index): [string, string] => [`${place}-${index}.ts`, text]));

const forbidden = [
  ...plantsOf(FORBIDDEN),
  ...SLEEPS.map((text, index): [string, string] => [`${SPEC_PLACE}-${index}.spec.ts`, text]),
];
const allowed = plantsOf(ALLOWED);

describe('the lint rules that keep the cores pure, SQLite files to SQLite, and answers to the adapters', () => {
  let tree: string;
  let restricted: ReadonlySet<string>;

  beforeAll(async () => {
    tree = realpathSync(mkdtempSync(join(tmpdir(), 'bifolio-hands-')));
    const shared = ['package.json', 'tsconfig.json', 'tsconfig.check.json', 'eslint.config.js'];
    for (const name of shared) copyFileSync(join(ROOT, name), join(tree, name));
    symlinkSync(join(ROOT, 'node_modules'), join(tree, 'node_modules'), 'dir');
    for (const [path, text] of [...forbidden, ...allowed]) {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      writeFileSync(join(tree, path), `${text}\n`);
    }
    restricted = await lint(tree);
  }, TEST_TIMEOUT_MS);

  afterAll(() => rmSync(tree, { recursive: true, force: true }));

  it.each(forbidden)('given %s with "%s", lint refuses it', (path) => {
    expect(restricted).toContain(path);
  });

  it.each(allowed)('given %s with "%s", lint accepts it', (path) => {
    expect(restricted).not.toContain(path);
  });
});

/** The files, relative to `folder`, in which one of the restricting rules spoke. */
async function lint(folder: string): Promise<ReadonlySet<string>> {
  const args = [join(ROOT, 'node_modules/eslint/bin/eslint.js'), '.', '--format', 'json'];
  const stdout = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, args, { cwd: folder, maxBuffer: 2 ** 28 }, (error, output) => {
      // Code 1 is how ESLint says that it found something, which it shall.
      if (error && error.code !== 1) reject(new Error('ESLint did not run', { cause: error }));
      else resolve(output);
    });
  });
  const results = JSON.parse(stdout) as { filePath: string; messages: { ruleId: string | null }[] }[];
  const spoke = results.filter(({ messages }) => messages.some(({ ruleId }) => ruleId?.startsWith('no-restricted-')));
  return new Set(spoke.map(({ filePath }) => filePath.slice(folder.length + 1)));
}
