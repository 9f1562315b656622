import { describe, expect, it } from '@jest/globals';
import type { ListReading, NodeVersion } from '../../../protocols/cluster-client/index.js';
import { listLines, repairLines } from './messages.js';

const UNKNOWN_TO_BE_ALIKE = 'The nodes may have different groups.';

/** `?` before a node: it did not answer. */
function listOf(nodes: readonly string[], groups: Readonly<Record<string, readonly string[]>>): ListReading {
  return {
    nodes: nodes.map((node) =>
      node.startsWith('?')
        ? { node: node.slice(1), isReachable: false, cause: 'connection refused: nothing is listening there' }
        : { node, isReachable: true },
    ),
    groups: Object.entries(groups).map(([groupId, on]) => ({ groupId, nodes: on })),
    isConsistent: false,
  };
}

describe('a list of groups', () => {
  it.each<[string, ListReading, readonly string[]]>([
    [
      'given no answer from any node, reports the groups as unknown',
      listOf(['?a:1', '?b:1'], {}),
      [
        'a:1 did not answer: connection refused: nothing is listening there',
        'b:1 did not answer: connection refused: nothing is listening there',
        'No node answers, so the groups are unknown.',
      ],
    ],
    [
      'given empty lists from some nodes, reports no groups on those',
      listOf(['a:1', '?b:1'], {}),
      ['b:1 did not answer: connection refused: nothing is listening there', 'No groups on the nodes that answer.'],
    ],
    [
      'given lists from some nodes, names where groups are and are not, and claims nothing about the other nodes',
      listOf(['a:1', 'b:1', '?c:1'], { g: ['a:1', 'b:1'], h: ['a:1'] }),
      [
        'c:1 did not answer: connection refused: nothing is listening there',
        '2 groups on the nodes that answer:',
        '  "g"  on a:1, b:1',
        '  "h"  on a:1, not on b:1',
      ],
    ],
    [
      'given lists from all nodes, names the groups that only some nodes have',
      listOf(['a:1', 'b:1'], { g: ['a:1', 'b:1'], h: ['a:1'] }),
      ['2 groups:', '  "g"', '  "h"  only on a:1'],
    ],
  ])('%s', (_, reading, expected) => {
    expect(listLines(reading)).toEqual([...expected, UNKNOWN_TO_BE_ALIKE]);
  });
});

describe('a repair', () => {
  const linesOf = (version: NodeVersion): readonly string[] =>
    repairLines({ repaired: [], open: 0, withOthers: [], versions: [version] }).slice(1);

  it.each<[string, NodeVersion, readonly string[]]>([
    ['says nothing about a node that is up to date', { node: 'a:1', isReachable: true, met: 7 }, []],
    ['says nothing about a node without versions', { node: 'a:1', isReachable: true }, []],
    [
      'names a node that was raised',
      { node: 'a:1', isReachable: true, met: 5_000_000, raisedFrom: 7 },
      ['a:1 was raised from version 7 to 5000000.'],
    ],
    [
      'names a node that could not be raised',
      { node: 'a:1', isReachable: true, met: 7, cause: 'it answered 404' },
      ['a:1 has seen only version 7 and was not raised: it answered 404'],
    ],
    [
      'names a node that did not report its version',
      { node: 'a:1', isReachable: false, cause: 'connection refused: nothing is listening there' },
      ['a:1 did not report the highest version that it has seen: connection refused: nothing is listening there'],
    ],
    [
      'names a version that was not spread, and what to do when it is right',
      { node: 'a:1', isReachable: true, met: '9007199254740992', isFarAhead: true },
      [
        'a:1 has seen version 9007199254740992, far above the versions that most nodes have seen; the other nodes were not raised. ' +
          'If that version is right, run "repair --raise-to 9007199254740992" to raise them.',
      ],
    ],
  ])('%s', (_, version, expected) => {
    expect(linesOf(version)).toEqual(expected);
  });
});
