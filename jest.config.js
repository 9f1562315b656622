/**
 * Jest in native ESM mode: run it with `node --experimental-vm-modules`, as scripts/test.mjs does.
 * `jest` is imported from '@jest/globals'; mocks are `jest.unstable_mockModule` and a dynamic import.
 */
const swc = {
  swcrc: false,
  sourceMaps: 'inline',
  jsc: {
    target: 'es2023',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
    keepClassNames: true,
  },
};

const suite = (displayName, patterns, exceptions = []) => ({
  displayName,
  testMatch: [...patterns.map((pattern) => `<rootDir>/${pattern}`), ...exceptions.map((pattern) => `!**/${pattern}`)],
  testEnvironment: 'node',
  setupFiles: ['reflect-metadata'],
  // What is built or written at run time holds copies of package.json and of our modules: Jest must not see them.
  roots: ['<rootDir>/src', '<rootDir>/test'],
  modulePathIgnorePatterns: ['dist', 'build', 'data', 'replicas', 'coverage'].map((name) => `<rootDir>/${name}/`),
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': ['@swc/jest', swc] },
  // Imports end in .js, as Node wants them; here the file is still the .ts one.
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  moduleFileExtensions: ['js', 'mjs', 'cjs', 'ts', 'json', 'node'],
});

/** Thousands of histories, crashes at every call, whole trees of planted bugs: too long to wait for at each commit. */
const LONG = [
  ...['**/*.property', '**/*-crashes', '**/*-corruption', '**/snapshot-file', '**/recover-transactions'],
  ...['**/journal-recovery', '**/journal-faults', '**/state-hash', '**/snapshot-codec', '**/database-check'],
  ...['**/recover/recover'],
].map((name) => `src/${name}.spec.ts`);

/** Unit specs that start the nodes of a Redis Cluster. */
const ON_REDIS = ['src/platform/redis/form-cluster.spec.ts', 'test/contracts/redis-*.spec.ts'];

export default {
  projects: [
    suite(
      'unit',
      ['src/**/*.spec.ts', 'test/contracts/**/*.spec.ts', 'test/scenarios/**/*.spec.ts'],
      [...LONG, ...ON_REDIS],
    ),
    suite('proof', [...LONG, 'test/architecture/**/*.spec.ts', 'test/simulation/**/*.spec.ts']),
    suite('integration', ['test/integration/**/*.spec.ts', ...ON_REDIS]),
    suite('e2e', ['test/e2e/**/*.spec.ts']),
    suite('nodes', ['test/nodes/**/*.spec.ts']),
  ],
};
