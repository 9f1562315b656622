// Puts each process of dist/ and all it imports into one file. Loading hundreds of small modules is most of a start:
// one file starts in about half the time. What tsc made stays beside it and behaves the same.
import { build } from 'esbuild';

/** Native code, and files that a package finds relative to itself. */
const LEFT_IN_NODE_MODULES = ['better-sqlite3', 'swagger-ui-dist'];

/** Optional parts of frameworks that are asked for by name and may be missing: they stay missing. */
const OPTIONAL = [
  '@fastify/multipart',
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
  'ioredis',
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

/**
 * For TypeORM before 1.0 this file of @nestjs/typeorm looks up two exports with a `require` that cannot be bundled, and
 * so would load all of TypeORM a second time to find that they are gone.
 */
const withoutLegacyTypeOrm = {
  name: 'without-legacy-typeorm',
  setup: ({ onLoad }) => {
    onLoad({ filter: /[/\\]@nestjs[/\\]typeorm[/\\]dist[/\\]common[/\\]typeorm-compat\.js$/ }, () => ({
      contents: 'export const Connection = undefined; export const AbstractRepository = undefined;',
    }));
  },
};

await build({
  entryPoints: { api: 'dist/main/api/main.js', supervisor: 'dist/main/supervisor/main.js' },
  outdir: 'dist/bundle',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  minifySyntax: true,
  minifyWhitespace: true,
  external: [
    ...LEFT_IN_NODE_MODULES,
    ...OPTIONAL,
    ...OPTIONAL.filter((name) => !name.endsWith('*')).map((name) => `${name}/*`),
  ],
  plugins: [withoutLegacyTypeOrm],
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
