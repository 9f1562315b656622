import { describe, expect, it } from '@jest/globals';
import { isUsefulAnswer, refusalOfPassword } from './error-replies.js';

/** As the driver makes it from the line that the node sent. */
function reply(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError' });
}

const REPLIES: [reply: string, isUseful: boolean][] = [
  ['CLUSTERDOWN The cluster is down', false],
  ['CLUSTERDOWN Hash slot not served', false],
  ['LOADING Redis is loading the dataset in memory', false],
  ['BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.', false],
  ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", false],
  ["READONLY You can't write against a read only replica.", false],
  ['NOAUTH Authentication required.', false],
  ['WRONGPASS invalid username-password pair or user is disabled.', false],
  ["NOPERM this user has no permissions to run the 'get' command", false],
  ['DENIED Redis is running in protected mode', false],
  ['ERR max number of clients reached', false],
  ['TRYAGAIN Multiple keys request during rehashing of slot', true],
  ['MOVED 3999 127.0.0.1:7001', true],
  ['ASK 3999 127.0.0.1:7001', true],
  ["OOM command not allowed when used memory > 'maxmemory'.", true],
  ['MISCONF Redis is configured to save RDB snapshots, but it cannot', true],
  ['NOREPLICAS Not enough good replicas to write.', true],
  ['WRONGTYPE Operation against a key holding the wrong kind of value', true],
  ['ERR value is not an integer or out of range', true],
];

describe('a failed call of a Redis node', () => {
  it.each(REPLIES)('answered with "%s", counts as answered: %s', (line, isUseful) => {
    const wrapped = new Error(`Too many Cluster redirections. Last error: ${String(reply(line))}`);
    expect([reply(line), wrapped].map(isUsefulAnswer)).toEqual([isUseful, isUseful]);
  });

  it.each(['Connection is closed.', 'Too many Cluster redirections. Last error: Error: Connection is closed.'])(
    'without a reply (%s), does not count as answered',
    (message) => {
      expect(isUsefulAnswer(new Error(message))).toBe(false);
    },
  );

  it('tells a password that is missing from one that is wrong', () => {
    const refusals = [
      reply('NOAUTH Authentication required.'),
      reply('WRONGPASS invalid username-password pair or user is disabled.'),
      reply('LOADING Redis is loading the dataset in memory'),
      new Error('NOAUTH is no reply'),
    ].map(refusalOfPassword);
    expect(refusals).toEqual(['asks for a password', 'refuses the password', undefined, undefined]);
  });
});
