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

const suite = (displayName, ...testMatch) => ({
  displayName,
  testMatch: testMatch.map((pattern) => `<rootDir>/${pattern}`),
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
const LONG = ['.property', '-crashes', '-corruption', 'snapshot-file'];

export default {
  projects: [
    {
      ...suite('unit', 'src/**/*.spec.ts', 'test/contracts/**/*.spec.ts', 'test/scenarios/**/*.spec.ts'),
      testPathIgnorePatterns: LONG.map((name) => `${name.replace('.', '\\.')}\\.spec\\.ts$`),
    },
    suite(
      'proof',
      ...LONG.map((name) => `src/**/*${name}.spec.ts`),
      'test/architecture/**/*.spec.ts',
      'test/simulation/**/*.spec.ts',
    ),
    suite('integration', 'test/integration/**/*.spec.ts'),
    suite('e2e', 'test/e2e/**/*.spec.ts'),
    suite('nodes', 'test/nodes/**/*.spec.ts'),
  ],
};
