import { existsSync } from 'node:fs';
import type { z } from 'zod';
import { AppError } from '../kernel/index.js';
import { isLoopback, type Settings } from './settings.js';

export type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_REQUESTS_PER_MINUTE = 6_000;
/** Everywhere else an empty value means that none is given. */
const MAY_BE_EMPTY = 'REPLICA_PORTS';

/** `.env` of the working directory; a variable that the environment has already stays as it is. */
export function loadEnvironmentFile(): void {
  if (existsSync('.env')) process.loadEnvFile('.env');
}

/** Throws `misconfigured` naming every setting that is wrong. */
export function parseSettings(schema: z.ZodType<Settings>, environment: Environment): Settings {
  const entries = Object.entries(environment).filter(([name, value]) => value !== '' || name === MAY_BE_EMPTY);
  const parsed = schema.safeParse(Object.fromEntries(entries));
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map(({ path, message }) => ({ field: path.join('.'), message }));
  const detail = fields.map(({ field, message }) => `${field} ${message}`).join('; ');
  throw new AppError('misconfigured', detail, { retry: 'never', fields });
}

/** The slice of a process that serves HTTP. */
export interface HttpConfig {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly apiKeys: readonly {
    readonly name: string;
    readonly role: 'read' | 'write' | 'operator';
    readonly key: string;
  }[];
  /** Names under which it may be called beside loopback, in lower case and without ports; with keys any. */
  readonly servedHosts: 'any' | ReadonlySet<string>;
  /** Origins whose pages may read answers. */
  readonly corsOrigins: ReadonlySet<string>;
  /** Per caller; undefined for no limit. */
  readonly requestsPerMinute: number | undefined;
  /** How many Idempotency-Keys of the last 24 hours one caller may hold. */
  readonly keysPerCaller: number;
  readonly headersTimeoutMs: number;
  /** Above `headersTimeoutMs`. */
  readonly requestTimeoutMs: number;
}

export function httpConfigOf(settings: Settings): HttpConfig {
  const { HOST, PORT, API_KEYS, RATE_LIMIT, CORS_ORIGINS } = settings;
  const isOpenToOthers = !isLoopback(HOST) || API_KEYS.length > 0;
  const automaticLimit = isOpenToOthers ? DEFAULT_REQUESTS_PER_MINUTE : undefined;
  return {
    host: HOST,
    port: PORT,
    apiKeys: API_KEYS,
    servedHosts: API_KEYS.length > 0 ? 'any' : servedNames(settings),
    corsOrigins: new Set(CORS_ORIGINS),
    requestsPerMinute: RATE_LIMIT === 'auto' ? automaticLimit : RATE_LIMIT === 'off' ? undefined : RATE_LIMIT,
    keysPerCaller: settings.IDEMPOTENCY_KEYS,
    headersTimeoutMs: settings.HEADERS_TIMEOUT_MS,
    requestTimeoutMs: settings.REQUEST_TIMEOUT_MS,
  };
}

/** All under which processes of this installation call each other, and those that are allowed beside. */
function servedNames({ HOST, REPLICA_NODES, NODES, ADVERTISED_URL, ALLOWED_HOSTS }: Settings): ReadonlySet<string> {
  const nodes = [...REPLICA_NODES, ...NODES].map(({ host }) => host);
  const advertised = ADVERTISED_URL === undefined ? [] : [new URL(ADVERTISED_URL).hostname];
  const names = [HOST, ...nodes, ...advertised].map((host) =>
    host.includes(':') ? `[${host.replaceAll(/[[\]]/g, '')}]` : host,
  );
  return new Set([...names.map((name) => name.toLowerCase()), ...ALLOWED_HOSTS]);
}

export interface FaultsConfig {
  readonly crashSite: { readonly name: string; readonly occurrence: number } | undefined;
}

export function faultsConfigOf({ CRASH_SITE }: Settings): FaultsConfig {
  const [name = '', occurrence = '1'] = CRASH_SITE?.split('#') ?? [];
  return { crashSite: name === '' ? undefined : { name, occurrence: Number(occurrence) } };
}

export interface LogConfig {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

export function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value) as unknown[]) {
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner);
  }
  return Object.freeze(value);
}
