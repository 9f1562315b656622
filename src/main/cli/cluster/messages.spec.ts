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
      'that no node has told is not known',
      listOf(['?a:1', '?b:1'], {}),
      [
        'a:1 did not answer: connection refused: nothing is listening there',
        'b:1 did not answer: connection refused: nothing is listening there',
        'No node answers, so the groups are unknown.',
      ],
    ],
    [
      'that some nodes have told to be empty is empty on these',
      listOf(['a:1', '?b:1'], {}),
      ['b:1 did not answer: connection refused: nothing is listening there', 'No groups on the nodes that answer.'],
    ],
    [
      'that some nodes have told names where groups are, and where not, and says nothing of the others',
      listOf(['a:1', 'b:1', '?c:1'], { g: ['a:1', 'b:1'], h: ['a:1'] }),
      [
        'c:1 did not answer: connection refused: nothing is listening there',
        '2 groups on the nodes that answer:',
        '  "g"  on a:1, b:1',
        '  "h"  on a:1, not on b:1',
      ],
    ],
    [
      'that all nodes have told names where groups are alone',
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
    ['says nothing of a node that is as far as the others', { node: 'a:1', isReachable: true, met: 7 }, []],
    ['says nothing of a node that knows no versions', { node: 'a:1', isReachable: true }, []],
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
      'names a node that does not say how far it is',
      { node: 'a:1', isReachable: false, cause: 'connection refused: nothing is listening there' },
      ['a:1 did not report the highest version that it has seen: connection refused: nothing is listening there'],
    ],
    [
      'names a number that was not spread, and what to do when it is right',
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
