import { describe, expect, it } from '@jest/globals';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const WRITTEN_BY_HAND = ['*.md', '{docs,src,test,bench,examples,postman-collection,replicas,cluster-config}/**/*.md'];
const DOCUMENTS = WRITTEN_BY_HAND.flatMap((pattern) => globSync(pattern, { cwd: ROOT })).filter(
  (file) => file !== 'CHANGELOG.md',
);

const LINK = /\]\(([^)#\s]+)(?:#[^)]*)?\)/g;
const CODE = /`([^`\n]+)`/g;
const BLOCK = /^```[^]*?^```/gm;
/** A path from the root, or a file beside the document; `*.schemas.ts` is a naming rule and no path. */
const PATH =
  /^(?:(?:\.ci|docs|src|test|scripts|bench|examples|findings|postman-collection)\/[\w.*/-]*|[\w./][\w.*/-]*\.(?:ts|mjs))$/;
/** Written by the program that the sentence is about. */
const GENERATED = /^(?:bench\/results\/|api\.(?:mjs|cjs))/;

const SECTIONS = ['Context', 'Decision', 'Instead of', 'Consequences'];

/** Links and paths of one Markdown text that lead nowhere from `file`. */
function deadPaths(file: string, text: string): string[] {
  const prose = text.replace(BLOCK, '');
  const links = [...prose.matchAll(LINK)].map(([, target = '']) => target).filter((target) => !/^\w+:/.test(target));
  const named = [...prose.matchAll(CODE)].map(([, code = '']) => code);
  const paths = named.filter((code) => PATH.test(code) && !GENERATED.test(code));
  const exists = (path: string, ...bases: string[]): boolean =>
    bases.some((base) => globSync(path, { cwd: join(ROOT, base) }).length > 0);
  return [
    ...links.filter((target) => !exists(target, dirname(file))),
    ...paths.filter((path) => !exists(path, '.', dirname(file))),
  ];
}

describe('the paths that documents name', () => {
  it.each(DOCUMENTS)('given %s, each link and path leads to a file', (file) => {
    expect(deadPaths(file, readFileSync(join(ROOT, file), 'utf8'))).toEqual([]);
  });

  it.each(['[a](nowhere.md)', '`test/nowhere.spec.ts`', '`src/no*where.ts`', '`nowhere.mjs`'])(
    'given a document with %s, reports the dead path',
    (text) => {
      expect(deadPaths('README.md', text)).toHaveLength(1);
    },
  );
});

describe('the architecture decision records', () => {
  const FOLDER = join(ROOT, 'docs/adr');
  const decisions = globSync('[0-9]*.md', { cwd: FOLDER });
  const index = readFileSync(join(FOLDER, 'README.md'), 'utf8');

  it.each(decisions)(
    'given %s, has a date, a status and the sections of the template, and the index lists it',
    (name) => {
      const text = readFileSync(join(FOLDER, name), 'utf8');

      expect(text).toMatch(
        /^# \d{4} .+\n\n- \*\*Date:\*\* \d{4}-\d\d-\d\d\n- \*\*Status:\*\* (?:accepted|superseded by)/,
      );
      expect([...text.matchAll(/^## (.+)$/gm)].map(([, title]) => title)).toEqual(SECTIONS);
      expect(index).toContain(`](${name})`);
    },
  );
});

describe('the guide to an atomic write over two stores', () => {
  const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
  const linesOf = (text: string): string[] =>
    text.split('\n').map((line) =>
      line
        .replace(/\s*\/\/.*/, '')
        .replace('export ', '')
        .trim(),
    );
  const sources = [
    ...globSync('examples/atomic-invoice/*.ts', { cwd: ROOT }),
    'src/protocols/two-phase-commit/ports.ts',
  ];
  const written = new Set(sources.flatMap((file) => linesOf(read(file))));
  /** The first block is the mistake that the guide begins with. */
  const [, ...blocks] = read('docs/guides/atomic-write-over-two-stores.md').matchAll(/^```ts\n([^]*?)^```/gm);

  it('shows only lines that the example and the ports contain', () => {
    const shown = blocks.flatMap(([, code = '']) => linesOf(code)).filter((line) => line !== '');

    expect(shown.length).toBeGreaterThan(50);
    expect(shown.filter((line) => !written.has(line))).toEqual([]);
  });
});
