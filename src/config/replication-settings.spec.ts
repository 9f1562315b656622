import { describe, expect, it } from '@jest/globals';
import { join, resolve } from 'node:path';
import { parseConfig } from './load-config.js';
import { parseReplicaConfig } from './load-replica-config.js';

describe('the replicas of the app', () => {
  it('by default, are four on this machine, and two must be in sync', () => {
    const { nodes, localPorts, minInSync, writeConcern } = parseConfig({}).replication;

    expect(nodes.map(({ name }) => name)).toEqual(['5071', '5072', '5073', '5074'].map((port) => `127.0.0.1:${port}`));
    expect(localPorts).toEqual([5071, 5072, 5073, 5074]);
    expect([minInSync, writeConcern]).toEqual([2, 'all']);
  });

  it.each([
    ['', 0],
    ['5071', 1],
    ['5071,5072', 2],
    ['5071,5072,5073', 2],
  ])('given REPLICA_PORTS="%s", are that many, and %i must be in sync', (ports, minInSync) => {
    const { replication } = parseConfig({ REPLICA_PORTS: ports });

    expect(replication.nodes).toHaveLength(ports === '' ? 0 : ports.split(',').length);
    expect(replication.minInSync).toBe(minInSync);
  });

  it('given REPLICA_NODES, are those nodes only, and none runs here', () => {
    const { replication } = parseConfig({ REPLICA_NODES: 'one:5071, two:5071', REPLICA_PORTS: '6071' });

    expect(replication.nodes).toEqual([
      { name: 'one:5071', host: 'one', port: 5071 },
      { name: 'two:5071', host: 'two', port: 5071 },
    ]);
    expect(replication.localPorts).toEqual([]);
  });
});

describe('the settings of a replica', () => {
  it('given --port, are those of that port, whatever PORT says', () => {
    const config = parseReplicaConfig('5072', { PORT: '5050', REPLICAS_DIR: '/copies' });

    expect(config.http.port).toBe(5072);
    expect(config.directory).toBe(join('/copies', '5072'));
    expect(config.dataDirectory).toBe(resolve('data'));
  });

  it('given PORT alone, are those of that port, although REPLICA_PORTS names it', () => {
    expect(parseReplicaConfig(undefined, { PORT: '5071' }).http.port).toBe(5071);
  });

  it.each([
    [undefined, {}, 'PORT must be set for a replica'],
    [undefined, { PORT: '' }, 'PORT must be set for a replica'],
    ['x', {}, 'PORT must be a port'],
    ['5071', { HOST: '0.0.0.0' }, 'API_KEYS must be set to listen on 0.0.0.0'],
  ])('given --port %s and %j, are refused: %s', (port, environment, refusal) => {
    expect(() => parseReplicaConfig(port, environment)).toThrow(refusal);
  });

  it('are frozen, like those of the app', () => {
    expect(Object.isFrozen(parseReplicaConfig('5072', {}).http)).toBe(true);
    expect(Object.isFrozen(parseConfig({}).replication.nodes[0])).toBe(true);
  });
});
