import { describe, expect, it } from '@jest/globals';
import { CalledNode, SKIPPED_FOR_MS } from './called-node.js';

describe('a Redis node that is called', () => {
  it('after its first failure, is skipped, and then tried by one call at a time until one succeeds', () => {
    const node = new CalledNode('127.0.0.1:7000');
    expect([node.admits(0), node.admits(0), node.succeeded()]).toEqual([true, true, false]);
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

    expect([node.succeeded(), node.succeeded()]).toEqual([true, false]);
    expect([node.state, node.admits(0), node.errors, node.skipped]).toEqual(['closed', true, 2, 4]);
  });

  it('given that it failed and serves nothing any more, is not skipped when it serves again', () => {
    const node = new CalledNode('127.0.0.1:7000');
    node.failed(10);
    node.leftOut();
    expect([node.state, node.admits(11)]).toEqual(['closed', true]);
  });
});
