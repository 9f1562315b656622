import { describe, expect, it } from '@jest/globals';
import { RecordingLog } from '../../../test/support/recording-log.js';
import { OutageLog } from './outage-log.js';

const [NODE, OTHER] = ['Redis node 127.0.0.1:7000', 'Redis node 127.0.0.1:7001'];
const SECONDS = 1_000;

describe('the log of outages', () => {
  const world = (): { readonly log: RecordingLog; readonly at: (seconds: number, ...calls: string[]) => void } => {
    const log = new RecordingLog();
    let nowMs = 0;
    const outages = new OutageLog(log, () => nowMs);
    return {
      log,
      at: (seconds, subject = '', error) => {
        nowMs = seconds * SECONDS;
        if (error === undefined) outages.ended(subject);
        else outages.failed(subject, `${subject} is skipped`, { error });
      },
    };
  };
  const lines = ({ entries }: RecordingLog): readonly unknown[] =>
    entries.map(({ message, details: { leftOut } }) => (leftOut === undefined ? message : [message, leftOut]));

  it('tells of a failure and its end once each, however often calls fail meanwhile', () => {
    const { log, at } = world();
    for (let second = 0; second < 60; second += 1) at(second, NODE, 'gone');
    at(60, NODE);
    at(61, NODE);
    expect(lines(log)).toEqual([`${NODE} is skipped`, `${NODE} answers again`]);
  });

  it('of a node that fails and answers again and again, tells at most once in ten seconds, and counts the rest', () => {
    const { log, at } = world();
    for (let second = 0; second < 20; second += 2) {
      at(second, NODE, 'gone');
      at(second + 1, NODE);
    }
    expect(lines(log)).toEqual([
      `${NODE} is skipped`,
      `${NODE} answers again`,
      [`${NODE} is skipped`, 4],
      `${NODE} answers again`,
    ]);
  });

  it('never leaves "answers again" as the last word about a node that failed again and stays away', () => {
    const { log, at } = world();
    at(0, NODE, 'gone');
    at(1, NODE);
    for (let second = 2; second < 15; second += 1) at(second, NODE, 'gone');
    expect(lines(log).at(-1)).toEqual([`${NODE} is skipped`, 8]);
  });

  it('tells of each node by itself', () => {
    const { log, at } = world();
    at(0, NODE, 'gone');
    at(0, OTHER, 'gone');
    at(1, OTHER);
    expect(lines(log)).toEqual([`${NODE} is skipped`, `${OTHER} is skipped`, `${OTHER} answers again`]);
  });
});
