import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { AppError } from '../kernel/index.js';
import { isLoopback, settingsSchema } from './settings.js';

const DEFAULT_REQUESTS_PER_MINUTE = 6_000;

/** The settings of the app process, in slices, frozen. */
export interface AppConfig {
  readonly http: {
    readonly host: string;
    /** 0: any free one. */
    readonly port: number;
    readonly apiKeys: readonly {
      readonly name: string;
      readonly role: 'read' | 'write' | 'operator';
      readonly key: string;
    }[];
    /** Per caller; undefined for no limit. */
    readonly requestsPerMinute: number | undefined;
  };
  readonly storage: {
    readonly dataDirectory: string;
    readonly snapshotEveryBytes: number;
    readonly journalReserveBytes: number;
    readonly seed: boolean;
    /** Undefined: kept in the data directory, made at the first start. */
    readonly clusterSecret: string | undefined;
  };
  readonly cache: { readonly maxBytes: number | undefined };
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent' };
  readonly faults: { readonly crashSite: { readonly name: string; readonly occurrence: number } | undefined };
}

/**
 * Reads `.env` of the working directory (the environment wins) and the environment. Throws `misconfigured` naming
 * every setting that is wrong.
 */
export function loadConfig(): AppConfig {
  loadEnvironmentFile();
  return parseConfig(process.env);
}

/** The data directory alone, absolute, from where `loadConfig` reads it: also when another setting is wrong. */
export function loadDataDirectory(): string {
  loadEnvironmentFile();
  return resolve(settingsSchema.shape.DATA_DIR.parse(process.env['DATA_DIR'] || undefined));
}

function loadEnvironmentFile(): void {
  if (existsSync('.env')) process.loadEnvFile('.env');
}

export function parseConfig(environment: Readonly<Record<string, string | undefined>>): AppConfig {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = settingsSchema.safeParse(given);
  if (!parsed.success) {
    const fields = parsed.error.issues.map(({ path, message }) => ({ field: path.join('.'), message }));
    const detail = fields.map(({ field, message }) => `${field} ${message}`).join('; ');
    throw new AppError('misconfigured', detail, { retry: 'never', fields });
  }
  const settings = parsed.data;
  const isOpenToOthers = !isLoopback(settings.HOST) || settings.API_KEYS.length > 0;
  const automaticLimit = isOpenToOthers ? DEFAULT_REQUESTS_PER_MINUTE : undefined;
  const [crashSite = '', occurrence = '1'] = settings.CRASH_SITE?.split('#') ?? [];
  const { RATE_LIMIT } = settings;
  return deepFreeze({
    http: {
      host: settings.HOST,
      port: settings.PORT,
      apiKeys: settings.API_KEYS,
      requestsPerMinute: RATE_LIMIT === 'auto' ? automaticLimit : RATE_LIMIT === 'off' ? undefined : RATE_LIMIT,
    },
    storage: {
      dataDirectory: resolve(settings.DATA_DIR),
      snapshotEveryBytes: settings.SNAPSHOT_EVERY_BYTES,
      journalReserveBytes: settings.JOURNAL_RESERVE_BYTES,
      seed: settings.SEED === 'on',
      clusterSecret: settings.CLUSTER_SECRET,
    },
    cache: { maxBytes: settings.CACHE === 'on' ? settings.CACHE_BYTES : undefined },
    log: { level: settings.LOG_LEVEL },
    faults: { crashSite: crashSite === '' ? undefined : { name: crashSite, occurrence: Number(occurrence) } },
  });
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value) as unknown[]) {
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner);
  }
  return Object.freeze(value);
}
