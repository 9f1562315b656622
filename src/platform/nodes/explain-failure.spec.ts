import { describe, expect, it } from '@jest/globals';
import { mkdirSync } from 'node:fs';
import { AppError } from '../../kernel/index.js';
import { explainFailure } from './explain-failure.js';

const WHERE = [
  { directory: '/srv/shop', source: 'DATA_DIR from the environment' },
  { directory: '/srv/copies', source: 'the default of REPLICAS_DIR' },
];

function thrownBy(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

describe('the line that says why a process cannot continue', () => {
  it('given a problem with stored data, names the directory and the origin of its setting', () => {
    const error = new AppError('recovery-needed', 'the replicas hold more.', { retry: 'never' });

    expect(explainFailure(error, WHERE)).toBe(
      'recovery-needed: the replicas hold more. [/srv/shop: DATA_DIR from the environment]',
    );
  });

  it('given a problem with another directory, names that one', () => {
    const error = new AppError('data-corrupt', '/srv/copies/5071/lock.db: not a database', { retry: 'never' });

    expect(explainFailure(error, WHERE)).toMatch(/ \[\/srv\/copies: the default of REPLICAS_DIR\]$/);
  });

  it('given a problem of another kind, adds nothing', () => {
    const error = new AppError('port-taken', 'port 5050 is taken', { retry: 'safe' });

    expect(explainFailure(error, WHERE)).toBe('port-taken: port 5050 is taken');
  });

  it('given a refusal of the file system, names the file in one line', () => {
    const error = thrownBy(() => mkdirSync('/dev/null/shop'));

    expect(explainFailure(error, WHERE)).toMatch(
      /^directory-unusable: ENOTDIR: .*\/dev\/null\/shop.* \[\/srv\/shop: .*\]$/,
    );
  });

  it('given a bug, shows the stack', () => {
    expect(explainFailure(new TypeError('x is undefined'), WHERE)).toMatch(/^TypeError: x is undefined\n +at /);
  });
});
