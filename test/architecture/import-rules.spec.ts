import { afterEach, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

/**
 * A wall that no one has run against is a drawing of a wall. Every rule of .dependency-cruiser.js is tried here with an
 * import that it must refuse, in a temporary tree that mirrors src/.
 */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TEST_TIMEOUT_MS = 60_000;

interface Cruise {
  readonly summary: {
    readonly violations: readonly { readonly from: string; readonly rule: { readonly name: string } }[];
    readonly ruleSetUsed: { readonly forbidden: readonly { readonly name: string }[] };
    readonly totalCruised: number;
  };
}

/** A file that breaks one rule: what it is, and what it imports. */
interface Plant {
  readonly rule: string;
  readonly from: string;
  readonly to: string;
}

const run = promisify(execFile);
const { MODULE_ORDER: order } = (await import(pathToFileURL(join(ROOT, '.dependency-cruiser.js')).href)) as {
  MODULE_ORDER: readonly [string, string, ...string[]];
};
const [firstModule, secondModule] = order;

const LAWFUL: Readonly<Record<string, readonly string[]>> = {
  'src/kernel/index.ts': ['src/kernel/words.ts'],
  'src/kernel/words.ts': [],
  'src/kernel/words.spec.ts': ['node:fs', 'src/kernel/words.ts', 'test/support/index.ts'],
  'src/config/index.ts': ['zod', 'src/kernel/index.ts'],
  'src/platform/left/index.ts': ['src/platform/left/inner.ts', 'src/platform/right/index.ts'],
  'src/platform/left/inner.ts': ['node:fs', 'src/kernel/index.ts'],
  'src/platform/right/index.ts': ['src/platform/right/inner.ts'],
  'src/platform/right/inner.ts': [],
  'src/protocols/left/index.ts': ['src/protocols/left/shell.ts', 'src/protocols/right/index.ts'],
  'src/protocols/left/shell.ts': ['src/protocols/left/core.ts', 'src/platform/left/index.ts'],
  'src/protocols/left/core.ts': ['src/kernel/index.ts'],
  'src/protocols/right/index.ts': ['src/protocols/right/core.ts'],
  'src/protocols/right/core.ts': [],
  ...Object.fromEntries(
    order.flatMap((name, index) => [
      [
        `src/modules/${name}/index.ts`,
        [
          `src/modules/${name}/inner.ts`,
          'src/protocols/left/index.ts',
          ...order.slice(0, index).map((earlier) => `src/modules/${earlier}/index.ts`),
        ],
      ],
      [`src/modules/${name}/inner.ts`, ['@nestjs/common', 'src/platform/left/index.ts']],
    ]),
  ),
  'src/main/left/index.ts': ['src/config/index.ts', ...order.map((name) => `src/modules/${name}/index.ts`)],
  'src/main/right/index.ts': ['src/platform/right/index.ts'],
  'test/support/index.ts': ['src/kernel/index.ts'],
  'test/scenarios/inner.ts': ['src/protocols/left/core.ts'],
  'bench/main.ts': ['src/platform/left/index.ts'],
};

const PLANTS: readonly Plant[] = [
  ['platform-only-downwards', 'src/platform/left/', 'src/protocols/left/index.ts'],
  ['platform-only-downwards', 'src/platform/left/', `src/modules/${firstModule}/index.ts`],
  ['protocols-only-downwards', 'src/protocols/left/', `src/modules/${firstModule}/index.ts`],
  ['modules-only-downwards', `src/modules/${firstModule}/`, 'src/main/left/index.ts'],
  ['modules-entered-only-by-index', 'src/main/left/', `src/modules/${firstModule}/inner.ts`],
  ['modules-siblings-only-by-index', `src/modules/${secondModule}/`, `src/modules/${firstModule}/inner.ts`],
  ['protocols-entered-only-by-index', 'src/main/left/', 'src/protocols/left/core.ts'],
  ['protocols-entered-only-by-index', `src/modules/${firstModule}/`, 'src/protocols/left/core.ts'],
  ['protocols-siblings-only-by-index', 'src/protocols/left/', 'src/protocols/right/core.ts'],
  ['platform-entered-only-by-index', 'src/main/left/', 'src/platform/right/inner.ts'],
  ['platform-entered-only-by-index', 'src/protocols/left/', 'src/platform/right/inner.ts'],
  ['platform-siblings-only-by-index', 'src/platform/left/', 'src/platform/right/inner.ts'],
  ...order
    .slice(0, -1)
    .map((name, index) => [
      `module-${name}-imports-only-earlier-modules`,
      `src/modules/${name}/`,
      `src/modules/${order[index + 1]}/index.ts`,
    ]),
  ['kernel-imports-nothing', 'src/kernel/', '@nestjs/common'],
  ['kernel-imports-nothing', 'src/kernel/', 'node:fs'],
  ['kernel-imports-nothing', 'src/kernel/', 'src/platform/left/index.ts'],
  ['config-is-imported-by-main-alone', 'src/platform/left/', 'src/config/index.ts'],
  ['config-is-imported-by-main-alone', `src/modules/${firstModule}/`, 'src/config/index.ts'],
  ['config-imports-only-kernel', 'src/config/', 'src/platform/left/index.ts'],
  ['processes-do-not-import-each-other', 'src/main/left/', 'src/main/right/index.ts'],
  ['no-loose-file', 'src/main/left/', 'src/loose.ts'],
  ['no-loose-file', 'src/protocols/left/', 'src/platform/loose.ts'],
  ['cores-have-no-hands', 'src/protocols/left/core-', 'src/platform/left/index.ts'],
  ['cores-have-no-hands', 'src/protocols/left/core/', 'src/protocols/left/shell.ts'],
  ['cores-have-no-hands', 'src/protocols/left/core/', '@nestjs/common'],
  ['src-imports-no-test-or-bench', 'src/platform/left/', 'test/support/index.ts'],
  ['src-imports-no-test-or-bench', 'src/platform/left/', 'bench/main.ts'],
  ['specs-import-only-test-support', 'src/platform/left/spec-', 'test/scenarios/inner.ts'],
  ['specs-are-not-imported', 'test/scenarios/', 'src/kernel/words.spec.ts'],
  ['every-import-resolves', 'src/platform/left/', 'src/platform/left/nowhere.ts'],
].map(([rule = '', place = '', to = ''], index) => ({
  rule,
  from: `${place}plant-${index}${place.endsWith('spec-') ? '.spec' : ''}.ts`,
  to,
}));

/** Two files that need each other, if only for a type. A ring is reported once. */
const RING: Plant = { rule: 'no-cycle', from: 'src/platform/left/ring-a.ts', to: 'src/platform/left/ring-b.ts' };

let tree: string | undefined;

afterEach(() => {
  if (tree) rmSync(tree, { recursive: true, force: true });
  tree = undefined;
});

function plantTree(files: Readonly<Record<string, readonly string[]>>): string {
  tree = mkdtempSync(join(tmpdir(), 'bifolio-import-rules-'));
  for (const name of ['package.json', 'tsconfig.json']) copyFileSync(join(ROOT, name), join(tree, name));
  symlinkSync(join(ROOT, 'node_modules'), join(tree, 'node_modules'), 'dir');
  for (const [from, imports] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, from)), { recursive: true });
    const lines = imports.map((to) => `import type { Word } from '${specifier(from, to)}';\nexport type { Word };`);
    writeFileSync(join(tree, from), `${lines.join('\n')}\n`);
  }
  return tree;
}

function specifier(from: string, to: string): string {
  if (!/^(src|test|bench)\//.test(to)) return to;
  const path = relative(dirname(from), to).replace(/[.]ts$/, '.js');
  return path.startsWith('.') ? path : `./${path}`;
}

async function cruise(folder: string): Promise<Cruise> {
  const args = [join(ROOT, 'scripts/import-rules.mjs'), '--output-type', 'json'];
  const { stdout } = await run(process.execPath, args, { cwd: folder, maxBuffer: 2 ** 28 });
  return JSON.parse(stdout) as Cruise;
}

function violationsOf(result: Cruise): string[] {
  return result.summary.violations.map(({ rule, from }) => `${rule.name}: ${from}`).sort();
}

describe('the import rules between folders', () => {
  it(
    'given one forbidden import per rule, every rule fires under its name, at its plant and nowhere else',
    async () => {
      const planted = [...PLANTS, RING];
      const targets = { 'src/loose.ts': [], 'src/platform/loose.ts': [], [RING.to]: [RING.from] };
      const files = Object.fromEntries(planted.map(({ from, to }) => [from, [to]]));

      const result = await cruise(plantTree({ ...LAWFUL, ...targets, ...files }));

      expect(violationsOf(result)).toEqual(planted.map(({ rule, from }) => `${rule}: ${from}`).sort());
      const rules = result.summary.ruleSetUsed.forbidden.map(({ name }) => name);
      expect(rules.filter((name) => !planted.some(({ rule }) => rule === name))).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given only allowed imports, no rule fires',
    async () => {
      const result = await cruise(plantTree(LAWFUL));

      expect(violationsOf(result)).toEqual([]);
      expect(result.summary.totalCruised).toBeGreaterThanOrEqual(Object.keys(LAWFUL).length);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given a project that lacks some folders, the rules still hold',
    async () => {
      const young = { 'src/kernel/index.ts': ['node:fs'], 'src/platform/left/index.ts': ['src/kernel/index.ts'] };

      expect(violationsOf(await cruise(plantTree(young)))).toEqual(['kernel-imports-nothing: src/kernel/index.ts']);
    },
    TEST_TIMEOUT_MS,
  );

  it.each([
    ['src/shared/index.ts', 'LAYERS'],
    ['src/modules/unheard-of/index.ts', 'MODULE_ORDER'],
  ])(
    'given the folder of %s, which no rule knows, the run is refused and names %s',
    async (file, list) => {
      const stranger = resolve(plantTree({ ...LAWFUL, [file]: [] }));

      await expect(cruise(stranger)).rejects.toThrow(new RegExp(`${file.split('/').at(-2)}.*${list}`));
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'given the real sources, no rule fires',
    async () => {
      expect(violationsOf(await cruise(ROOT))).toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );
});
