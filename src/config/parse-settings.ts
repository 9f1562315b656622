import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { distance } from 'fastest-levenshtein';
import type { z } from 'zod';
import { AppError } from '../kernel/index.js';
import { isLoopback, type Settings, SLICES, variableOf } from './settings.js';

export type Environment = Readonly<Record<string, string | undefined>>;

const ENVIRONMENT_FILE = '.env';
const DEFAULT_REQUESTS_PER_MINUTE = 6_000;
/** Empty means none. For every other variable an empty value counts as unset. */
const MAY_BE_EMPTY = ['REPLICA_PORTS', 'REDIS_CLUSTER_PORTS'];
const VARIABLES = Object.values(SLICES).flatMap(({ shape }) => Object.keys(shape).map(variableOf));
/** Short names such as PORT are close to many other names. */
const SHORT_NAME = 6;

/** A variable that is already in the environment keeps its value. */
export function loadEnvironmentFile(): void {
  if (existsSync(ENVIRONMENT_FILE)) process.loadEnvFile(ENVIRONMENT_FILE);
}

/** Throws `misconfigured` for a name close to that of a setting, because the setting would be ignored silently. */
export function loadCheckedEnvironmentFile(): void {
  if (existsSync(ENVIRONMENT_FILE)) refuseMisspelled(Object.keys(parseEnv(readFileSync(ENVIRONMENT_FILE, 'utf8'))));
  loadEnvironmentFile();
}

export function refuseMisspelled(names: readonly string[]): void {
  const wrong = names.flatMap((name) => {
    const meant = VARIABLES.includes(name) ? undefined : variableMeantBy(name);
    return meant === undefined ? [] : [`${name} is not a setting, use ${meant}`];
  });
  if (wrong.length === 0) return;
  throw new AppError('misconfigured', `${ENVIRONMENT_FILE}: ${wrong.join('; ')}`, { retry: 'never' });
}

function variableMeantBy(name: string): string | undefined {
  const differences = (variable: string): number => distance(name.toUpperCase(), variable);
  const [closest] = VARIABLES.toSorted((left, right) => differences(left) - differences(right));
  const most = name.length < SHORT_NAME ? 1 : 2;
  return closest !== undefined && differences(closest) <= most ? closest : undefined;
}

/** Throws `misconfigured`, naming every invalid setting. */
export function parseSettings(schema: z.ZodType<Settings>, environment: Environment): Settings {
  const slices = Object.entries(SLICES).map(([slice, { shape }]) => {
    const given = Object.keys(shape).map((field) => [field, environment[variableOf(field)]] as const);
    return [slice, Object.fromEntries(given.filter(([field, value]) => isGiven(variableOf(field), value)))] as const;
  });
  const parsed = schema.safeParse(Object.fromEntries(slices));
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map(({ path, message }) => ({ field: variableOf(String(path.at(-1))), message }));
  const detail = fields.map(({ field, message }) => `${field} ${message}`).join('; ');
  throw new AppError('misconfigured', detail, { retry: 'never', fields });
}

function isGiven(variable: string, value: string | undefined): boolean {
  return value !== undefined && (value !== '' || MAY_BE_EMPTY.includes(variable));
}

export function httpConfigOf({ http, replication, cluster }: Settings) {
  const isOpenToOthers = !isLoopback(http.host) || http.apiKeys.length > 0;
  const automaticLimit = isOpenToOthers ? DEFAULT_REQUESTS_PER_MINUTE : undefined;
  const nodes = [...replication.replicaNodes, ...cluster.nodes].map(({ host }) => host);
  return {
    ...http,
    /** The host names that this process answers to besides loopback, in lower case, without ports; any name when keys are set. */
    servedHosts: http.apiKeys.length > 0 ? ('any' as const) : servedNames(http, nodes, replication.advertisedUrl),
    corsOrigins: new Set(http.corsOrigins),
    /** Per caller; undefined means no limit. */
    requestsPerMinute:
      http.rateLimit === 'auto' ? automaticLimit : http.rateLimit === 'off' ? undefined : http.rateLimit,
  };
}

/** The names under which processes of this installation call each other, and the allowed hosts. */
function servedNames(
  { host: own, allowedHosts }: Settings['http'],
  nodes: readonly string[],
  advertisedUrl: string | undefined,
): ReadonlySet<string> {
  const advertised = advertisedUrl === undefined ? [] : [new URL(advertisedUrl).hostname];
  const names = [own, ...nodes, ...advertised].map((host) =>
    host.includes(':') ? `[${host.replaceAll(/[[\]]/g, '')}]` : host,
  );
  return new Set([...names.map((name) => name.toLowerCase()), ...allowedHosts]);
}

export interface FaultsConfig {
  readonly crashSite: { readonly name: string; readonly occurrence: number } | undefined;
}

export function faultsConfigOf({ crashSite }: Settings['faults']): FaultsConfig {
  const [name = '', occurrence = '1'] = crashSite?.split('#') ?? [];
  return { crashSite: name === '' ? undefined : { name, occurrence: Number(occurrence) } };
}

type Frozen<T> = T extends ReadonlySet<unknown> ? T : T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T;

export function deepFreeze<T extends object>(value: T): Frozen<T> {
  for (const inner of Object.values(value) as unknown[]) {
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner);
  }
  return Object.freeze(value) as Frozen<T>;
}
