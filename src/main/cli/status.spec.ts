import { describe, expect, it } from '@jest/globals';
import { readerText, type ReplicationStatus, statusText } from './status.js';

const URL = 'http://127.0.0.1:5050';
const BODY: ReplicationStatus = {
  epoch: 3,
  position: { epoch: 3, seq: 57 },
  waiting: null,
  writeConcern: 'all',
  minInSync: 2,
  inSync: 1,
  replicas: [
    { name: '127.0.0.1:5071', state: 'in-sync', position: 57, lag: 0, lastError: null },
    { name: '127.0.0.1:5072', state: 'unreachable', position: null, lag: null, lastError: 'nothing is listening' },
  ],
};

describe('npm run status', () => {
  it('shows the state of the app and of each replica', () => {
    const { exitCode, text } = statusText(URL, { status: 200, body: BODY });

    expect(exitCode).toBe(0);
    expect(text).toContain('epoch 3, position 3.57');
    expect(text).toContain('1 of 2 replicas in sync, writes need 2; write concern all.');
    expect(text).toMatch(/127\.0\.0\.1:5071\s+│ in-sync\s+│ 57\s+│ 0\s+│/);
    expect(text).toMatch(/127\.0\.0\.1:5072\s+│ unreachable\s+│ \?\s+│ \?\s+│ nothing is listening/);
  });

  it('given an app that refuses writes, shows what it waits for', () => {
    const body = { ...BODY, waiting: '2 of 4 replicas answered and 3 are needed' };

    expect(statusText(URL, { status: 200, body }).text).toContain('The app refuses writes: 2 of 4 replicas answered');
  });

  it('given an app without replicas, says so', () => {
    expect(statusText(URL, { status: 200, body: { ...BODY, replicas: [] } }).text).toContain(
      'No replicas are configured.',
    );
  });

  it('lists the readers that run', () => {
    expect(readerText({ state: 'answers', pid: 7, url: URL })).toEqual([`Reader at ${URL} (pid 7).`]);
    expect(readerText({ state: 'silent', pid: 7 })).toEqual(['Reader that does not answer (pid 7).']);
    expect(readerText({ state: 'gone' })).toEqual([]);
  });

  it.each([
    [undefined, 'did not report'],
    [{ status: 401, body: {} }, 'refuses the API key: set API_KEY'],
    [{ status: 200, body: { epoch: 'x' } }, 'answered 200'],
  ])('given the answer %j, reports it in one line and fails', (answer, what) => {
    const { exitCode, text } = statusText(URL, answer);

    expect(exitCode).toBe(1);
    expect(text).toMatch(new RegExp(`^The app at ${URL} ${what}.*$`));
  });
});
