import { createHash } from 'node:crypto';
import { type Settings, variableOf } from './settings.js';

const SECRETS: readonly string[] = ['API_KEYS', 'CLUSTER_SECRET', 'REDIS_PASSWORD'];

/** The settings of a process as text, by name, to compare with those of another process. A secret appears only as a hash. */
export type SettingsInForce = Readonly<Record<string, string>>;

export function settingsInForce({ client: _ofCommands, supervisor: _itsOwn, ...served }: Settings): SettingsInForce {
  const entries = Object.values(served).flatMap((slice) => Object.entries(slice));
  return Object.fromEntries(
    entries.map(([field, value]) => [variableOf(field), textOf(variableOf(field), value)] as const),
  );
}

function textOf(name: string, value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return SECRETS.includes(name) ? createHash('sha256').update(text).digest('hex') : text;
}

export interface Difference {
  readonly name: string;
  /** Undefined when the setting is unset or secret. */
  readonly inForce: string | undefined;
  readonly wanted: string | undefined;
}

/** Ignores a setting that only one of the two processes knows, because the other one is of another version. */
export function differencesOf(inForce: SettingsInForce, wanted: SettingsInForce): readonly Difference[] {
  const names = new Set([...Object.keys(inForce), ...Object.keys(wanted)]);
  return [...names]
    .filter((name) => inForce[name] !== wanted[name])
    .sort()
    .map((name) => {
      const isSecret = SECRETS.includes(name);
      return { name, inForce: isSecret ? undefined : inForce[name], wanted: isSecret ? undefined : wanted[name] };
    });
}
