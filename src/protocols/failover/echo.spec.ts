import { describe, expect, it } from '@jest/globals';
import { echoOf } from './echo.js';

const ECHO = { pid: 7, role: 'active', state: 'open', epoch: 3 } as const;

describe('an echo', () => {
  it('given the answer of the process that was asked, is read', () => {
    expect(echoOf(ECHO, 7)).toEqual(ECHO);
    expect(echoOf({ ...ECHO, role: 'standby', state: 'waiting', epoch: null }, 7)).toBeDefined();
  });

  it.each([
    ['another process', ECHO, 8],
    ['an unknown role', { ...ECHO, role: 'king' }, 7],
    ['no state', { ...ECHO, state: undefined }, 7],
    ['no JSON', undefined, 7],
  ])('given %s, is none', (_what, body, pid) => {
    expect(echoOf(body, pid)).toBeUndefined();
  });
});
