import { describe, expect, it } from '@jest/globals';
import { readCommandLine, UsageError } from './command-line.js';

describe('the command line of the cluster client', () => {
  it('accepts a group as JSON or as plain text', () => {
    const byJson = readCommandLine(['create', '{"groupId": "1"}']);

    expect(byJson).toEqual({ command: { name: 'create', groupId: '1' }, isJson: false });
    expect(readCommandLine(['create', '1'])).toEqual(byJson);
    expect(readCommandLine(['get', '}'])).toMatchObject({ command: { groupId: '}' } });
  });

  it('accepts options before and after the command', () => {
    const options = ['--nodes', 'a:1, b:2', '--attempts', '5', '--deadline=100', '--concurrency', '2'];

    expect(readCommandLine([...options, 'list', '--json'])).toEqual({
      command: { name: 'list' },
      isJson: true,
      nodes: ['a:1', 'b:2'],
      ...{ attempts: 5, deadlineMs: 100, concurrency: 2 },
    });
    expect(readCommandLine(['repair', '--unknown', 'undo'])).toMatchObject({ command: { unknown: 'undo' } });
    expect(readCommandLine(['list', '--patience', '500'])).toMatchObject({ patienceMs: 500 });
    expect(readCommandLine(['repair', '--raise-to', '9007199254740993'])).toMatchObject({
      command: { raiseTo: '9007199254740993' },
    });
    for (const name of ['get', 'delete'])
      expect(readCommandLine([name, '..'])).toMatchObject({ command: { groupId: '..' } });
  });

  it.each([[[]], [['--help']], [['create', '-h']]])('given %j, shows the help', (args: string[]) => {
    expect(readCommandLine(args)).toEqual({
      help: expect.stringMatching(/Usage: npm run cluster[^]*--raise-to[^]*Exit code/),
    });
  });

  it.each([
    [['make', '1'], 'Unknown command make'],
    [['create'], 'create needs one group'],
    [['create', '1', '2'], 'create needs one group'],
    [['create', '{"groupId": 1}'], 'groupId: must be a string'],
    [['create', '{}'], 'groupId: must be a string'],
    [['create', '{"groupId": ""}'], 'groupId: must have 1 to 255 characters'],
    [['delete', 'x'.repeat(256)], 'groupId: must have 1 to 255 characters'],
    [['create', '{"groupId": "1", "name": "x"}'], 'Unrecognized key: "name"'],
    [['create', '{"groupId": "\\ud800"}'], 'groupId: must be well-formed Unicode'],
    [['create', '.'], 'groupId: must not be "." or "..", which no client could read by its path'],
    [['create', '{"groupId": ".."}'], 'groupId: must not be "." or ".."'],
    [['list', '--raise-to', '7'], '--raise-to is only for repair'],
    [['repair', '--raise-to', '1e9'], '--raise-to must be a whole number'],
    [['list', '--patience', 'long'], '--patience must be a whole number from 1'],
    [['create', '{groupId: 1}'], 'is not JSON'],
    [['create', '{"groupId": "1"'], 'is not JSON'],
    [['list', '--nodes', 'here'], '--nodes must be host:port,..., but got "here"'],
    [['list', '--operation', 'x'], '--operation is only for repair'],
    [['list', '1'], 'list takes no argument'],
    [['list', '--unknown', 'undo'], '--unknown is only for repair'],
    [['repair', '--unknown', 'guess'], '--unknown must be leave-open, undo, leave'],
    [['list', '--attempts', '0'], '--attempts must be a whole number from 1'],
    [['list', '--deadline', '1e3'], '--deadline must be a whole number from 1'],
    [['list', '--verbose'], "Unknown option '--verbose'"],
  ])('given %j, says: %s', (args, message) => {
    expect(() => readCommandLine(args)).toThrow(UsageError);
    expect(() => readCommandLine(args)).toThrow(message);
  });
});
