import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../../test/support/eventually.js';
import { RecordingLog } from '../../../test/support/recording-log.js';
import { systemTimers } from '../../platform/process/index.js';
import type { Echo } from '../../protocols/failover/index.js';
import { ActiveApp } from './active-app.js';

let app: ActiveApp | undefined;

afterEach(() => app?.close());

function startWith(echo: () => Echo): ActiveApp {
  app = new ActiveApp({
    urls: () => ['http://127.0.0.1:5050'],
    echo: () => Promise.resolve(echo()),
    isReady: () => true,
    timers: systemTimers,
    log: new RecordingLog(),
    pingMs: 5,
    found: () => undefined,
  });
  app.start();
  return app;
}

describe('the active app of a gateway', () => {
  it('is used again after it has said that it does not serve, when another incarnation has its pid', async () => {
    let epoch = 1;
    let asked = 0;
    const active = startWith(() => {
      asked += 1;
      return { role: 'active', state: 'open', pid: 7, epoch };
    });
    const first = await eventually(() => {
      expect(active.current).toBeDefined();
      return active.current!;
    });
    active.refuse(first, 'it stops');
    const before = asked;
    await eventually(() => {
      expect(asked).toBeGreaterThan(before + 2);
    });
    expect(active.current).toBeUndefined();
    expect(await active.isStillActive(first)).toBe(false);

    epoch = 2;
    await eventually(() => {
      expect(active.current?.process).toMatchObject({ pid: 7, epoch: 2 });
    });
    expect(await active.isStillActive(first)).toBe(false);
    expect(await active.isStillActive(active.current!)).toBe(true);
  });
});
