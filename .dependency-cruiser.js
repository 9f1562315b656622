import { existsSync, readdirSync } from 'node:fs';

/**
 * The import rules: which folder may import which. Rules are made from the folders of src/ in the current directory when this
 * file is loaded; an import that breaks one is reported under the rule's name. test/architecture/import-rules.spec.ts plants one
 * forbidden import for every rule made here and proves that it fires.
 */

/** From the top down. A layer imports itself and what stands after it. `config` stands beside them, for main alone. */
const LAYERS = ['main', 'modules', 'protocols', 'platform', 'kernel'];

/** A module may import those that stand before it, by their index.ts. A new module with a store goes before `stores`, any other to the end. */
export const MODULE_ORDER = [
  'store-registration',
  'shop-sets',
  'stock',
  'books',
  'customers',
  'transactions',
  'books-2pc',
  'users',
  'ids',
  'payment',
  'orders',
  'registration',
  'stores',
  'operations',
  'groups',
  'long-requests',
];

const foldersOf = (path) =>
  existsSync(path)
    ? readdirSync(path, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name)
    : [];

function refuseFolders(found, known, remedy) {
  const strangers = found.filter((name) => !known.includes(name));
  if (strangers.length > 0) throw new Error(`No wall stands around ${strangers.join(', ')}: ${remedy}`);
}

refuseFolders(foldersOf('src'), [...LAYERS, 'config'], 'give the folder of src/ a place in LAYERS.');
refuseFolders(
  foldersOf('src/modules'),
  MODULE_ORDER,
  'put the folder of src/modules/ into MODULE_ORDER, before `stores` if it has a store.',
);

const SPEC = '[.]spec[.]ts$';
const anyOf = (names) => `(${names.join('|')})`;
const wall = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

/** No layer imports one above it. */
const downwards = LAYERS.slice(1, -1).map((layer, index) =>
  wall(
    `${layer}-only-downwards`,
    `${layer}/ may import only itself and what stands below it: ${LAYERS.join(' -> ')}.`,
    { path: `^src/${layer}/` },
    { path: `^src/${anyOf(LAYERS.slice(0, index + 1))}/` },
  ),
);

/** What lies in a folder of these layers is reached from outside only by the folder's index.ts. */
const doors = ['modules', 'protocols', 'platform'].flatMap((layer) => [
  wall(
    `${layer}-entered-only-by-index`,
    `From outside of ${layer}/x import only ${layer}/x/index.ts.`,
    { path: `^src/(?!${layer}/)` },
    { path: `^src/${layer}/[^/]+/`, pathNot: `^src/${layer}/[^/]+/index[.]ts$` },
  ),
  wall(
    `${layer}-siblings-only-by-index`,
    `${layer}/x may import ${layer}/y only by ${layer}/y/index.ts.`,
    { path: `^src/${layer}/([^/]+)/` },
    { path: `^src/${layer}/[^/]+/`, pathNot: [`^src/${layer}/$1/`, `^src/${layer}/[^/]+/index[.]ts$`] },
  ),
]);

const modulesInOrder = MODULE_ORDER.slice(0, -1).map((name, index) =>
  wall(
    `module-${name}-imports-only-earlier-modules`,
    `The order is ${MODULE_ORDER.join(', ')}: ${name} may import only those before it.`,
    { path: `^src/modules/${name}/` },
    { path: `^src/modules/${anyOf(MODULE_ORDER.slice(index + 1))}/` },
  ),
);

export default {
  forbidden: [
    ...downwards,
    ...doors,
    ...modulesInOrder,
    wall(
      'kernel-imports-nothing',
      'kernel/ holds words that everyone shares: no package, no Node module, nothing of ours.',
      { path: '^src/kernel/', pathNot: SPEC },
      { pathNot: '^src/kernel/' },
    ),
    wall(
      'config-is-imported-by-main-alone',
      'Settings reach the rest as typed arguments.',
      { path: '^src/(?!main/|config/)' },
      { path: '^src/config/' },
    ),
    wall(
      'config-imports-only-kernel',
      'config/ reads the environment and knows nothing of what is made with it.',
      { path: '^src/config/' },
      { path: '^src/(?!config/|kernel/)' },
    ),
    wall(
      'processes-do-not-import-each-other',
      'main/a and main/b are different programs.',
      { path: '^src/main/([^/]+)/' },
      { path: '^src/main/[^/]+/', pathNot: '^src/main/$1/' },
    ),
    wall(
      'no-loose-file',
      'Every file of src/ lies in a folder that a rule knows.',
      {},
      { path: '^src/([^/]+|(main|modules|protocols|platform)/[^/]+)[.]ts$' },
    ),
    wall(
      'cores-have-no-hands',
      'A protocol core decides; drivers and its own shell act.',
      { path: '^src/protocols/[^/]+/core', pathNot: SPEC },
      { path: ['^src/platform/', '^src/protocols/[^/]+/shell', 'node_modules/(@nestjs|fastify|undici|typeorm)/'] },
    ),
    wall(
      'src-imports-no-test-or-bench',
      'What is shipped does not lean on what tries it.',
      { path: '^src/', pathNot: SPEC },
      { path: '^(test|bench|examples)/' },
    ),
    wall(
      'specs-import-only-test-support',
      'A spec beside the code may use test/support/ and nothing else from outside of src/.',
      { path: `^src/.*${SPEC}` },
      { path: '^(test/(?!support/)|bench/)' },
    ),
    wall('specs-are-not-imported', 'What two specs share belongs in test/support/.', {}, { path: SPEC }),
    wall('no-cycle', 'What needs each other is one thing, or two things and a third.', {}, { circular: true }),
    wall(
      'every-import-resolves',
      'A wall cannot see through an import that leads nowhere.',
      {},
      { couldNotResolve: true },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    moduleSystems: ['es6', 'cjs'],
    // Types couple as well as values do.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      mainFields: ['module', 'main', 'types', 'typings'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.json', '.d.ts'],
    },
  },
};
