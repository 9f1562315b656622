import { describe, expect, it } from '@jest/globals';
import type { Echo } from '../echo.js';
import { activeAmong, type ActiveProcess } from './active.js';

const echo = (pid: number, more: Partial<Echo> = {}): Echo => ({
  pid,
  role: 'active',
  state: 'open',
  epoch: 1,
  ...more,
});

describe('the active process', () => {
  it('is the one that is open; a standby, an opening and a draining one serve nothing', () => {
    const others = [
      { url: 'a', echo: undefined },
      { url: 'b', echo: echo(2, { role: 'standby', state: 'waiting', epoch: null }) },
      { url: 'c', echo: echo(3, { state: 'opening' }) },
      { url: 'd', echo: echo(4, { state: 'draining' }) },
      { url: 'e', echo: echo(5, { role: 'gateway' }) },
    ];
    expect(activeAmong(others)).toBeUndefined();
    expect(activeAmong([...others, { url: 'f', echo: echo(6) }])).toEqual({ url: 'f', pid: 6, epoch: 1 });
  });

  it('has the highest epoch: an older one that woke up may not know yet that it was replaced', () => {
    const two = [
      { url: 'new', echo: echo(8, { epoch: 8 }) },
      { url: 'old', echo: echo(7, { epoch: 7 }) },
    ];
    expect(activeAmong(two)?.url).toBe('new');
    expect(activeAmong(two.toReversed())?.url).toBe('new');
    expect(activeAmong([{ url: 'a', echo: echo(1, { epoch: null }) }])?.pid).toBe(1);
  });

  it('is none that has said itself that it does not serve', () => {
    const isRefused = ({ pid, epoch }: ActiveProcess): boolean => pid === 1 && epoch === 1;
    expect(activeAmong([{ url: 'a', echo: echo(1) }], isRefused)).toBeUndefined();
    expect(activeAmong([{ url: 'a', echo: echo(1, { epoch: 2 }) }], isRefused)?.epoch).toBe(2);
  });
});
