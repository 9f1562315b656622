import { describe, expect, it } from '@jest/globals';
import { type BreakerState, CalledNode, SKIPPED_FOR_MS } from './called-node.js';

describe('a Redis node that is called', () => {
  const world = (): { readonly node: CalledNode; readonly changes: BreakerState[] } => {
    const changes: BreakerState[] = [];
    return { node: new CalledNode('127.0.0.1:7000', ({ state }) => changes.push(state)), changes };
  };

  it('after its first failure, is skipped, and then tried by one call at a time until one succeeds', () => {
    const { node, changes } = world();
    expect([node.admits(0), node.admits(0)]).toEqual([true, true]);
    node.failed(10);
    expect([node.state, node.admits(11), node.admits(9 + SKIPPED_FOR_MS)]).toEqual(['open', false, false]);

    expect([node.admits(10 + SKIPPED_FOR_MS), node.state, node.admits(10 + SKIPPED_FOR_MS)]).toEqual([
      true,
      'half-open',
      false,
    ]);
    node.failed(20 + SKIPPED_FOR_MS);
    expect([node.state, node.admits(21 + SKIPPED_FOR_MS)]).toEqual(['open', false]);
    expect(node.admits(20 + 2 * SKIPPED_FOR_MS)).toBe(true);
    node.succeeded();

    expect([node.state, node.admits(0), node.errors, node.skipped]).toEqual(['closed', true, 2, 4]);
    expect(changes).toEqual(['open', 'closed']);
  });

  it('that failed several calls at once, reports the change once', () => {
    const { node, changes } = world();
    node.failed(1);
    node.failed(2);

    expect(changes).toEqual(['open']);
  });
});
