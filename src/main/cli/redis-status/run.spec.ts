import { describe, expect, it } from '@jest/globals';
import { type NodeView, parseNodeView } from '../../../platform/redis/index.js';
import { nodeOfKey, statusOf } from './run.js';

const endpoints = [7000, 7001, 7002].map((port) => ({ host: '127.0.0.1', port }));

function viewsOf(...rows: readonly string[]): readonly NodeView[] {
  return endpoints.slice(0, rows.length).map((endpoint, index) => {
    const lines = rows.map((row, at) => {
      const flags = row
        .split(' ')
        .slice(0, 1)
        .map((role) => (at === index ? `myself,${role}` : role));
      const [, master = '-', ...slots] = row.split(' ');
      return `id-${at} 127.0.0.1:${7000 + at}@17000 ${flags.join()} ${master} 0 0 ${at} connected ${slots.join(' ')}`.trim();
    });
    return parseNodeView(
      endpoint,
      lines.join('\n'),
      'cluster_state:ok\r\n',
      `master_link_status:up\r\ndb0:keys=${index + 5}`,
    );
  });
}

const REFUSAL = ['refuses the password', 'refuse the password'] as const;
const WHOLE = ['master - 0-99 200-16383', 'master - 100-199', 'slave id-0'];

describe('npm run redis:status', () => {
  it('shows role, slots and keys of each node, and that nothing is missing', () => {
    const { exitCode, lines } = statusOf(endpoints, { views: viewsOf(...WHOLE), refusals: new Map() });

    expect(exitCode).toBe(0);
    expect(lines[0]).toBe(
      'The Redis Cluster is whole: 2 masters serve all slots, and each replica follows its master.',
    );
    expect(lines[1]).toMatch(/127\.0\.0\.1:7000 │ master +│ 0-99 200-16383 \(16284\) │ 5 +│ ok/);
    expect(lines[1]).toMatch(/127\.0\.0\.1:7001 │ master +│ 100-199 \(100\) +│ 6 +│ ok/);
    expect(lines[1]).toMatch(/127\.0\.0\.1:7002 │ replica of 127\.0\.0\.1:7000 │ +│ 7 +│ ok/);
  });

  it('given a node that does not answer and one that refuses the password, names both, and fails', () => {
    const { exitCode, lines } = statusOf(endpoints, {
      ...{ views: viewsOf(...WHOLE).slice(0, 1), refusals: new Map([[endpoints[1]!, REFUSAL]]) },
    });

    expect(exitCode).toBe(1);
    expect(lines[0]).toBe(
      'The Redis Cluster is not whole: 127.0.0.1:7001 refuses the password; 127.0.0.1:7002 does not answer.',
    );
    expect(lines[1]).toMatch(/127\.0\.0\.1:7001 │ \? +│ +│ +│ refuses the password │/);
    expect(lines[1]).toMatch(/127\.0\.0\.1:7002 │ \? +│ +│ +│ does not answer +│/);
  });

  it('given slots that no node serves, names them, and the master without any', () => {
    const views = viewsOf('master - 0-99 200-16383', 'master -', 'slave id-0');
    const { exitCode, lines } = statusOf(endpoints, { views, refusals: new Map() });

    expect([exitCode, lines[0]]).toEqual([1, 'The Redis Cluster is not whole: slots 100-199 are served by no node.']);
    expect(lines[1]).toMatch(/127\.0\.0\.1:7001 │ master +│ none +│ 6 +│ serves no slot │/);
  });

  it('given a key, names its slot, its node and the replica', () => {
    expect(nodeOfKey('books:42', 250, viewsOf(...WHOLE))).toEqual({
      exitCode: 0,
      lines: ['books:42 hashes to slot 250, on 127.0.0.1:7000; replica: 127.0.0.1:7002.'],
    });
  });

  it('given the key of a slot that no one serves, says so', () => {
    const { exitCode, lines } = nodeOfKey('books:42', 250, viewsOf('master -', 'master - 100-199'));

    expect([exitCode, lines]).toEqual([1, ['books:42 hashes to slot 250, which no node that answers serves.']]);
  });
});
