import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { z } from 'zod';
import { isAppError } from '../kernel/index.js';
import { parseConfig } from './load-config.js';
import { parseGatewayConfig } from './load-gateway-config.js';
import { refuseMisspelled } from './parse-settings.js';
import { SLICES, variableOf } from './settings.js';

const EXAMPLE = readFileSync('.env.example', 'utf8');
const example = parseEnv(EXAMPLE) as Readonly<Record<string, string>>;
const fields = Object.values(SLICES).flatMap(({ shape }) => Object.entries<z.ZodType>(shape));
const schemas = new Map(fields.map(([field, schema]) => [variableOf(field), schema]));
const KEY = 'a-key-of-16-chars';

/** The message of the refusal; empty when the settings are accepted. */
function refusalOf(environment: Readonly<Record<string, string>>): string {
  try {
    parseConfig(environment);
    return '';
  } catch (error) {
    if (!isAppError(error, 'misconfigured')) throw error;
    return error.message;
  }
}

describe('.env.example', () => {
  it('names exactly the existing settings', () => {
    expect(Object.keys(example).sort()).toEqual([...schemas.keys()].sort());
    expect(schemas.size).toBe(fields.length);
  });

  it.each(Object.entries(example))('gives %s its real default, "%s"', (name, value) => {
    const schema = schemas.get(name);
    const byDefault = schema?.parse(undefined);
    if (value === '') {
      expect([undefined, []]).toContainEqual(byDefault);
    } else {
      expect(schema?.parse(value)).toEqual(byDefault);
    }
  });

  it('explains every setting in the line above it', () => {
    const lines = EXAMPLE.split('\n');
    const unexplained = lines.filter((line, index) => /^[A-Z]/.test(line) && !/^# \S/.test(lines[index - 1] ?? ''));

    expect(unexplained).toEqual([]);
  });

  it('changes nothing when used unchanged', () => {
    expect(parseConfig(example)).toEqual(parseConfig({}));
  });
});

describe('settings', () => {
  it.each([
    ['PORT', { PORT: 'abc' }, 'must be a port from 0 to 65535'],
    ['PORT', { PORT: '65536' }, 'must be a port from 0 to 65535'],
    ['PORT', { PORT: '-1' }, 'must be a port from 0 to 65535'],
    ['PORT', { PORT: '80.5' }, 'must be a port from 0 to 65535'],
    ['PORT', { PORT: ' ' }, 'must be a port from 0 to 65535'],
    ['PORT', { PORT: '0x50' }, 'must be a port from 0 to 65535'],
    ['ALLOWED_HOSTS', { ALLOWED_HOSTS: 'shop.example:80' }, 'without ports'],
    ['ALLOWED_HOSTS', { ALLOWED_HOSTS: 'http://shop.example' }, 'must be a comma-separated list of names'],
    ['ALLOWED_HOSTS', { ALLOWED_HOSTS: 'a b' }, 'must be a comma-separated list of names'],
    ['ALLOWED_HOSTS', { ALLOWED_HOSTS: '*' }, 'must be a comma-separated list of names'],
    ['CORS_ORIGINS', { CORS_ORIGINS: '*' }, 'must be a comma-separated list of origins'],
    ['CORS_ORIGINS', { CORS_ORIGINS: 'null' }, 'must be a comma-separated list of origins'],
    ['CORS_ORIGINS', { CORS_ORIGINS: 'shop.example' }, 'must be a comma-separated list of origins'],
    ['CORS_ORIGINS', { CORS_ORIGINS: 'https://shop.example/' }, 'must be a comma-separated list of origins'],
    ['CORS_ORIGINS', { CORS_ORIGINS: 'https://shop.example:443' }, 'must be a comma-separated list of origins'],
    ['API_KEYS', { API_KEYS: 'me' }, 'must be name:role:key'],
    ['API_KEYS', { API_KEYS: 'me,you' }, 'must be name:role:key'],
    ['API_KEYS', { API_KEYS: 'me:operator:short' }, 'must be name:role:key'],
    ['API_KEYS', { API_KEYS: `me:owner:${KEY}` }, 'must be name:role:key'],
    ['API_KEYS', { API_KEYS: `me:read:${KEY},me:write:${KEY}` }, 'must give each key a different name'],
    ['API_KEYS', { HOST: '0.0.0.0' }, 'must be set to listen on 0.0.0.0'],
    ['API_KEYS', { HOST: '192.168.1.7', API_KEYS: '' }, 'must be set to listen on 192.168.1.7'],
    ['API_KEY', { API_KEY: `me:read:${KEY}` }, 'must be a key alone'],
    ['CACHE', { CACHE: 'yes' }, 'must be on or off'],
    ['CACHE_BYTES', { CACHE_BYTES: 'much' }, 'must be a whole number of bytes'],
    ['SEED', { SEED: '1' }, 'must be on or off'],
    ['RATE_LIMIT', { RATE_LIMIT: '0' }, 'must be auto, off or a number of requests per minute'],
    ['CLUSTER_SECRET', { CLUSTER_SECRET: 'short' }, 'must have 16 characters or more'],
    ['LOG_LEVEL', { LOG_LEVEL: 'loud' }, 'must be debug, info, warn, error or silent'],
    ['FAULTS', { FAULTS: 'yes' }, 'must be 0 or 1'],
    ['CRASH_SITE', { CRASH_SITE: 'journal.write.before' }, 'needs FAULTS=1'],
    ['CRASH_SITE', { CRASH_SITE: 'Not A Site', FAULTS: '1' }, 'must be the name of a crash site'],
    ['REPLICA_PORTS', { REPLICA_PORTS: '5071,x' }, 'must be a comma-separated list of ports from 1 to 65535'],
    ['REPLICA_PORTS', { REPLICA_PORTS: '5071,0' }, 'must be a comma-separated list of ports from 1 to 65535'],
    ['REPLICA_PORTS', { REPLICA_PORTS: '5071,65536' }, 'must be a comma-separated list of ports from 1 to 65535'],
    ['REPLICA_PORTS', { REPLICA_PORTS: '5071,5072,5071' }, 'must not name port 5071 twice'],
    ['REPLICA_PORTS', { REPLICA_PORTS: '5071,5072', PORT: '5072' }, 'must not name port 5072, which is PORT'],
    ['REPLICA_NODES', { REPLICA_NODES: 'replica-1' }, 'must be host:port'],
    ['REPLICA_NODES', { REPLICA_NODES: 'replica-1:99999' }, 'must be host:port'],
    ['REPLICA_NODES', { REPLICA_NODES: 'a:5071,b:5071,a:5071' }, 'must not name a:5071 twice'],
    ['REPLICA_NODES', { REPLICA_NODES: 'localhost:5050' }, 'must not name port 5050, which is PORT'],
    ['REDIS_CLUSTER_PORTS', { REDIS_CLUSTER_PORTS: '7000' }, 'must be 6 different ports from 1 to 55535'],
    ['REDIS_CLUSTER_PORTS', { REDIS_CLUSTER_PORTS: ',,' }, 'or empty for none'],
    ['ADVERTISED_URL', { ADVERTISED_URL: 'app:5050' }, 'must be http://host:port'],
    ['ADVERTISED_URL', { ADVERTISED_URL: 'http://app:5050/' }, 'must be http://host:port'],
    ['WRITE_CONCERN', { WRITE_CONCERN: 'some' }, 'must be all, majority or primary'],
    ['MIN_INSYNC_REPLICAS', { MIN_INSYNC_REPLICAS: '5' }, 'must be from 1 to 4'],
    ['MIN_INSYNC_REPLICAS', { MIN_INSYNC_REPLICAS: '0' }, 'must be from 1 to 4'],
    ['MIN_INSYNC_REPLICAS', { MIN_INSYNC_REPLICAS: '2', REPLICA_NODES: 'a:5071' }, 'must be from 1 to 1'],
    ['MIN_INSYNC_REPLICAS', { MIN_INSYNC_REPLICAS: '1', REPLICA_PORTS: '' }, 'must be 0: there are no replicas'],
    ['REPLICA_TIMEOUT_MS', { REPLICA_TIMEOUT_MS: '2000' }, 'must be below PREPARE_DEADLINE_MS (1000)'],
    ['PREPARE_DEADLINE_MS', { PREPARE_DEADLINE_MS: '2000' }, 'must be below WRITE_DEADLINE_MS (2000)'],
    ['IN_DOUBT_AFTER_MS', { IN_DOUBT_AFTER_MS: '0' }, 'must be a whole number of milliseconds from 1'],
    ['REPLICA_TIMEOUT_MS', { REPLICA_TIMEOUT_MS: '0' }, 'must be a whole number of milliseconds from 1'],
    ['GATEWAY_PORT', { GATEWAY_PORT: 'none' }, 'must be a port from 0 to 65535 (0: any free one), or off'],
    ['GATEWAY_HOLD_MS', { GATEWAY_HOLD_MS: '0' }, 'must be a whole number of milliseconds from 1'],
    ['STANDBY_PORT', { STANDBY_PORT: 'none' }, 'must be a port from 0 to 65535 (0: any free one), or off'],
    ['PING_MS', { DEAD_AFTER_MS: '250' }, 'must be below DEAD_AFTER_MS (250)'],
    ['REPLICATION_BATCH_BYTES', { REPLICATION_BATCH_BYTES: '0' }, 'must be a whole number of bytes from 1 to 4194304'],
    ['AUDIT_EVERY_MS', { AUDIT_EVERY_MS: 'often' }, 'must be a whole number of milliseconds from 0'],
  ])('given a wrong %s in %j, refuse with one error that names it', (name, environment, rule) => {
    const refusal = refusalOf(environment);

    expect(refusal).toMatch(new RegExp(`^${name} `));
    expect(refusal).toContain(rule);
    expect(refusal).not.toContain(';');
  });

  it('given two wrong settings, name both in one error', () => {
    expect(refusalOf({ PORT: 'abc', SEED: 'maybe' })).toMatch(/^PORT .*; SEED /);
  });

  it.each([
    { HOST: '127.0.0.1' },
    { HOST: 'localhost' },
    { HOST: '::1' },
    { HOST: '0.0.0.0', API_KEYS: `me:operator:${KEY}` },
    { PORT: '0' },
    { FAULTS: '1', CRASH_SITE: 'journal.write.before#2' },
    { FAULTS: '1', CRASH_SITE: '2pc.decide.after' },
    { PORT: '', API_KEYS: '', CLUSTER_SECRET: '', CRASH_SITE: '' },
    { REPLICA_PORTS: '', MIN_INSYNC_REPLICAS: '0' },
    { REDIS_CLUSTER_PORTS: '' },
    { REPLICA_PORTS: '6071', MIN_INSYNC_REPLICAS: '1' },
    { REPLICA_NODES: 'replica-1:5050,replica-2:5050,[::1]:5071' },
    { ADVERTISED_URL: 'http://app:5050' },
    { AUDIT_EVERY_MS: '0', READ_WAIT_MS: '0' },
  ])('given %j, are accepted', (environment) => {
    expect(refusalOf(environment)).toBe('');
  });
});

describe('the settings of a gateway', () => {
  it('are its own port, the time of a hold, and longer for an active app than a checkout takes', () => {
    const { http, limits } = parseGatewayConfig({ CHECKOUT_TIMEOUT_MS: '20000', GATEWAY_PORT: '81' });
    expect([http.port, limits]).toEqual([81, { holdMs: 10_000, activeMs: 25_000 }]);
  });

  it.each([
    [{ GATEWAY_PORT: 'off' }, 'GATEWAY_PORT is off'],
    [{ GATEWAY_HOLD_MS: '2000' }, 'GATEWAY_HOLD_MS must be above WRITE_DEADLINE_MS (2000)'],
    [{ CHECKOUT_TIMEOUT_MS: '100000', GATEWAY_HOLD_MS: '15001' }, 'GATEWAY_HOLD_MS must be at most 15000'],
  ])('given %j, are refused, but those of the app are not', (environment, refusal) => {
    expect(() => parseGatewayConfig(environment)).toThrow(refusal);
    expect(refusalOf(environment)).toBe('');
  });
});

describe('a name in .env', () => {
  it.each([
    ['REPLICA_PORT', 'REPLICA_PORTS'],
    ['WRITECONCERN', 'WRITE_CONCERN'],
    ['MIN_IN_SYNC_REPLICAS', 'MIN_INSYNC_REPLICAS'],
    ['CLUSTER_SECRETS', 'CLUSTER_SECRET'],
    ['Port', 'PORT'],
    ['HOSTS', 'HOST'],
  ])('given %s, is refused on one line that suggests %s', (name, meant) => {
    const refusal = `.env: ${name} is not a setting, use ${meant}`;
    expect(() => {
      refuseMisspelled(['PORT', name]);
    }).toThrow(refusal);
  });

  it('given the name of a setting, or a name like none, is accepted', () => {
    refuseMisspelled([...schemas.keys(), 'NODE_ENV', 'NODE_OPTIONS', 'TZ', 'PATH', 'COMPOSE_PROJECT_NAME', 'DEBUG']);
  });
});

describe('the names under which a process may be called', () => {
  it('given no keys, are the names in the settings, in lower case and without ports', () => {
    const { http } = parseConfig({
      ...{ HOST: 'localhost', REPLICA_NODES: 'Replica-1:5071,[2001:db8::1]:5072', NODES: 'node.example:80' },
      ...{ ADVERTISED_URL: 'http://App.example:5050', ALLOWED_HOSTS: 'Shop.example, [::2],192.168.1.5' },
    });
    expect(http.servedHosts).toEqual(
      new Set([
        ...['localhost', 'replica-1', '[2001:db8::1]', 'node.example', 'app.example'],
        ...['shop.example', '[::2]', '192.168.1.5'],
      ]),
    );
    expect(parseConfig({ HOST: '::1' }).http.servedHosts).toEqual(new Set(['[::1]']));
  });

  it('given keys, are all names', () => {
    expect(parseConfig({ API_KEYS: `me:read:${KEY}`, ALLOWED_HOSTS: 'shop.example' }).http.servedHosts).toBe('any');
  });
});
