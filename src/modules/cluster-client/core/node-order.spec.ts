import { describe, expect, it } from '@jest/globals';
import { inOrder, type NodeAddress, parseNode } from './node-order.js';

const nodes = (...texts: string[]): NodeAddress[] => texts.map((text) => parseNode(text)!);

describe('nodes', () => {
  it('are put in one order however they are told, each once', () => {
    const expected = ['10.0.0.1:80', 'b.example:9', 'b.example:5071', 'b.example:10071'];

    expect(inOrder(nodes('b.example:10071', 'B.example:5071', '10.0.0.1:80', 'b.example:9', 'b.example:5071'))).toEqual(
      expected,
    );
    expect(inOrder(nodes('http://b.example:9/', '10.0.0.1:80', 'b.example:5071', 'b.example:10071'))).toEqual(expected);
  });

  it.each(['', 'host', 'host:', 'host:0', 'host:65536', 'https://host:1', 'host:1/path', 'a b:1', ':5071'])(
    'that are told as %j are none',
    (text) => {
      expect(parseNode(text)).toBeUndefined();
    },
  );
});
