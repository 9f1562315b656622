import { describe, expect, it } from '@jest/globals';
import { inOrder, isSameNode, type NodeAddress, parseNode } from './node-order.js';

const nodes = (...texts: string[]): NodeAddress[] => texts.map((text) => parseNode(text)!);

describe('nodes', () => {
  it('are listed once, in one order, whatever the order of the input', () => {
    const expected = ['10.0.0.1:80', 'b.example:9', 'b.example:5071', 'b.example:10071'];

    expect(inOrder(nodes('b.example:10071', 'B.example:5071', '10.0.0.1:80', 'b.example:9', 'b.example:5071'))).toEqual(
      expected,
    );
    expect(inOrder(nodes('http://b.example:9/', '10.0.0.1:80', 'b.example:5071', 'b.example:10071'))).toEqual(expected);
  });

  it.each([
    [['localhost:5071', '127.0.0.1:5071'], ['127.0.0.1:5071']],
    [['LocalHost:5071', 'http://localhost:5071/', 'localhost.:5071'], ['localhost:5071']],
    [['127.0.0.1:5071', '127.1:5071', '0x7f.0.0.1:5071', '2130706433:5071'], ['127.0.0.1:5071']],
    [['[0:0:0:0:0:0:0:1]:5071', '[::1]:5071', '[::0001]:5071'], ['[::1]:5071']],
    [['Node-A.example:5071', 'node-a.EXAMPLE:5071/', 'node-a.example.:5071'], ['node-a.example:5071']],
    [
      ['localhost:5071', '127.0.0.1:5072'],
      ['localhost:5071', '127.0.0.1:5072'],
    ],
    [
      ['127.0.0.1:5072', '127.0.0.1:5071', 'a:1'],
      ['127.0.0.1:5071', '127.0.0.1:5072', 'a:1'],
    ],
  ])('spelt %j, are %j', (spelt, expected) => {
    expect(inOrder(nodes(...spelt))).toEqual(expected);
    expect(inOrder(nodes(...spelt.toReversed()))).toEqual(expected);
  });

  it('count as one when they differ only in the name of this machine', () => {
    expect(isSameNode('localhost:5071', '127.0.0.1:5071')).toBe(true);
    expect(isSameNode('localhost:5071', '127.0.0.1:5072')).toBe(false);
    expect(isSameNode('localhost.example:5071', '127.0.0.1:5071')).toBe(false);
  });

  it.each([
    '',
    '256.0.0.1:1',
    '[::g]:1',
    'host',
    'host:',
    'host:0',
    'host:65536',
    'https://host:1',
    'host:1/path',
    'a b:1',
    ':5071',
  ])('given as %j are refused', (text) => {
    expect(parseNode(text)).toBeUndefined();
  });
});
