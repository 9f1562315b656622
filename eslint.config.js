import eslint from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const SPECS = ['test/**/*.ts', 'src/**/*.spec.ts'];
const SOURCE = ['src/**/*.ts'];
/** Code that decides and never acts: all it knows is handed to it. */
const PURE = [
  'src/kernel/**/*.ts',
  'src/protocols/*/core*.ts',
  'src/protocols/*/core*/**/*.ts',
  'src/modules/*/core/**/*.ts',
  'src/platform/documents/**/*machine*.ts',
  'src/platform/documents/**/*machine*/**/*.ts',
];
/** The one place that may wait by the clock, on behalf of all tests. */
const EVENTUALLY = 'test/support/eventually.ts';

// ESLint replaces the options of a rule instead of adding to them, so each set of files gets a whole list.

const ENVIRONMENT = [
  'MemberExpression[object.name="process"][property.name="env"]',
  'MemberExpression[object.name="process"][property.value="env"]',
  'MemberExpression[object.property.name="process"][property.name="env"]',
  'VariableDeclarator[init.name="process"] > ObjectPattern > Property[key.name="env"]',
  'ImportDeclaration[source.value=/^(node:)?process$/] > ImportSpecifier[imported.name="env"]',
].map((selector) => ({
  selector,
  message: 'Only src/config and src/main read the environment: take a typed setting.',
}));

const SLEEP = [
  'NewExpression[callee.name="Promise"] CallExpression[callee.name="setTimeout"][arguments.0.type="Identifier"]',
  'NewExpression[callee.name="Promise"] > ArrowFunctionExpression > CallExpression[callee.name="setTimeout"]',
  'ImportDeclaration[source.value=/^(node:)?timers[/]promises$/]',
  'MemberExpression[object.name="Atomics"][property.name="wait"]',
].map((selector) => ({ selector, message: 'A test waits with eventually(probe), never by the clock.' }));

/** Opening and closing a file drops every lock that this process has on it, also those that SQLite has taken. */
const SQLITE_FILES = [
  'Literal[value=/^[^ ]*\\.db(-wal|-shm|-journal)?$|^-(wal|shm)$/]',
  'TemplateElement[value.raw=/\\.db(-wal|-shm|-journal)?$|^-(wal|shm)$/]',
].map((selector) => ({
  selector,
  message:
    'Only what opens it through SQLite names a file of SQLite: take bookstoreIn, DataDirectoryLock or SUPERVISOR_LOCK.',
}));
const NAMES_SQLITE_FILES = [
  'src/platform/sql/**/*.ts',
  'src/platform/sql-check/**/*.ts',
  'src/platform/process/data-directory-lock.ts',
  'src/platform/nodes/file-layout.ts',
  'src/protocols/cluster-client/shell/intent-store.ts',
];
const FILES_ARE_LOOKED_AT = [
  {
    regex: '^(node:)?fs(/promises)?$',
    importNamePattern: '^(?!(statSync|Stats|existsSync|readdirSync)$)',
    message: 'Open a file of SQLite only through SQLite, and look at it with stat.',
  },
];

/** A service returns what happened; the adapter makes the answer of it. */
const HTTP_ANSWERS = [
  'Identifier[name=/^(status|statusCode|headers?|location|etag)$/i]',
  'Literal[value=/^(status|statusCode|headers?|location|link|etag|retry-after|content-type|x-[a-z-]+)$/i]',
  'Literal[value=/^[/][a-z]/]',
  'TemplateElement[value.raw=/^[/][a-z]/]',
].map((selector) => ({
  selector,
  message: 'Only adapters/http/ names a status, a header or a path: return what happened, the adapter answers.',
}));
/** They wire routes to stores. */
const REGISTRATIONS = ['src/modules/*/*.store.ts', 'src/modules/*/*.stores.ts', 'src/modules/store-registration/**'];
const HTTP_IN_MODULES = [
  {
    regex: '/platform/http/',
    allowImportNamePattern: '^(boundedText|PageRequest|Preconditions|PreparedBody|QueryNames|WriteConcern)$',
    message: 'Only adapters/http/ answers: a service knows of a request what it asks for, and nothing else.',
  },
];

const HANDS = [
  ['MemberExpression[object.name="Date"][property.name="now"]', 'Clock'],
  ['MemberExpression[object.name="Date"][property.value="now"]', 'Clock'],
  ['NewExpression[callee.name="Date"][arguments.length=0]', 'Clock'],
  ['CallExpression[callee.name="Date"]', 'Clock'],
  ['MemberExpression[object.name="Math"][property.name="random"]', 'Random'],
  ['MemberExpression[object.name="Math"][property.value="random"]', 'Random'],
  [
    'VariableDeclarator[init.name=/^(Date|Math)$/] > ObjectPattern > Property[key.name=/^(now|random)$/]',
    'Clock or Random',
  ],
  ['ImportExpression', 'shell'],
].map(([selector, port]) => ({ selector, message: `This code has no hands: take the value as input (${port}).` }));

const HANDS_GLOBAL = [
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'fetch', 'WebSocket', 'EventSource'],
  ...['performance', 'crypto', 'process', 'globalThis', 'global'],
].map((name) => ({ name, message: 'This code has no hands: leave it to the shell, or take a port.' }));

const IO_MODULES = [
  ...['fs', 'http', 'https', 'http2', 'net', 'tls', 'dgram', 'dns', 'timers', 'child_process', 'worker_threads'],
  ...['cluster', 'perf_hooks', 'readline', 'process', 'os', 'async_hooks'],
].join('|');
const DRIVERS = [
  '@nestjs/.*',
  'fastify',
  '@fastify/.*',
  'undici',
  'typeorm',
  'better-sqlite3',
  'ioredis',
  'lowdb',
].join('|');

const PURE_IMPORTS = [
  {
    regex: `^(node:)?(${IO_MODULES})(/.*)?$`,
    message: 'This code has no hands: leave it to the shell, or take a port.',
  },
  { regex: `^(${DRIVERS})(/.*)?$`, message: 'A driver belongs in the shell.' },
  {
    regex: '^(node:)?crypto$',
    importNamePattern: '^(random|getRandomValues|webcrypto|generateKey)',
    message: 'Chance comes in through the Random port.',
  },
];

const KERNEL_IMPORTS = [
  { regex: '^(?![.])', message: 'The kernel imports nothing.' },
  { regex: '^[.].*/(main|config|modules|protocols|platform)/', message: 'The kernel imports nothing.' },
];

const restrictSyntax = (...lists) => ({ 'no-restricted-syntax': ['error', ...lists.flat()] });
const restrictImports = (patterns) => ({ 'no-restricted-imports': ['error', { patterns }] });

export default defineConfig(
  globalIgnores(['node_modules/', '.node/', 'dist/', 'build/', 'data/', 'coverage/', '.check-cache/', 'web/vendor/']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  eslint.configs.recommended,
  {
    rules: {
      'max-lines': ['error', { max: 400, skipBlankLines: false, skipComments: false }],
      eqeqeq: 'error',
    },
  },
  {
    files: ['**/*.{js,mjs,cjs}'],
    languageOptions: {
      globals: Object.fromEntries(Object.getOwnPropertyNames(globalThis).map((name) => [name, 'readonly'])),
    },
  },
  {
    // The dashboard runs in a browser, whose names Node does not know.
    files: ['web/**/*.{js,mjs}'],
    rules: { 'no-undef': 'off' },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { project: './tsconfig.check.json', tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // A driver may keep a promise of its port without waiting for anything.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: SPECS,
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/unbound-method': 'off',
      ...restrictSyntax(SLEEP),
    },
  },
  {
    files: SOURCE,
    ignores: ['src/config/**', 'src/main/**', ...SPECS],
    rules: restrictSyntax(ENVIRONMENT, SQLITE_FILES),
  },
  {
    files: ['src/modules/**/*.ts'],
    ignores: ['src/modules/*/adapters/http/**', ...REGISTRATIONS, ...SPECS],
    rules: { ...restrictSyntax(ENVIRONMENT, SQLITE_FILES, HTTP_ANSWERS), ...restrictImports(HTTP_IN_MODULES) },
  },
  {
    files: ['src/config/**/*.ts', 'src/main/**/*.ts'],
    ignores: SPECS,
    rules: restrictSyntax(SQLITE_FILES),
  },
  {
    files: NAMES_SQLITE_FILES,
    ignores: SPECS,
    rules: { ...restrictSyntax(ENVIRONMENT), ...restrictImports(FILES_ARE_LOOKED_AT) },
  },
  {
    files: ['src/**/*.spec.ts'],
    ignores: ['src/config/**', 'src/main/**'],
    rules: restrictSyntax(ENVIRONMENT, SLEEP),
  },
  {
    files: PURE,
    ignores: SPECS,
    rules: {
      ...restrictSyntax(ENVIRONMENT, SQLITE_FILES, HANDS),
      ...restrictImports(PURE_IMPORTS),
      'no-restricted-globals': ['error', ...HANDS_GLOBAL],
    },
  },
  {
    files: ['src/kernel/**/*.ts'],
    ignores: SPECS,
    rules: restrictImports([...PURE_IMPORTS, ...KERNEL_IMPORTS]),
  },
  {
    files: ['src/kernel/**/*.ts', 'src/modules/*/core/**/*.ts'],
    ignores: SPECS,
    rules: restrictSyntax(ENVIRONMENT, SQLITE_FILES, HANDS, HTTP_ANSWERS),
  },
  {
    files: [EVENTUALLY],
    rules: { 'no-restricted-syntax': 'off' },
  },
);
