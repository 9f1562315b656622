import { describe, expect, it } from '@jest/globals';
import type { Timers } from '../../../kernel/index.js';
import type { Checkout } from './checkout.js';
import { CheckoutService, MAX_CHECKOUTS } from './checkout.service.js';

const OPERATION = { id: 'an operation' };

interface Given {
  readonly begin: () => Promise<number>;
  readonly ended?: () => Promise<void>;
  readonly after?: Timers['after'];
}

function serviceOf({ begin, ended = () => Promise.resolve(), after = () => () => undefined }: Given): {
  readonly service: CheckoutService;
  readonly inGate: () => number;
} {
  let inGate = 0;
  const service = new CheckoutService({
    start: () => {
      throw new Error('begin starts it');
    },
    gate: {
      enterCheckout: () => {
        inGate += 1;
        return () => (inGate -= 1);
      },
    },
    sagas: { begin, ended },
    checkouts: { find: (number) => ({ number }) as Checkout },
    timers: { after },
    timeoutMs: 1,
  });
  return { service, inGate: () => inGate };
}

describe('the queue of checkouts', () => {
  it('given as many as it holds, refuses the next one before anything begins, and takes one again when one has ended', async () => {
    const ends: ((number: number) => void)[] = [];
    const { service, inGate } = serviceOf({ begin: () => new Promise((resolve) => ends.push(resolve)) });
    const open = Array.from({ length: MAX_CHECKOUTS }, () => service.checkOut('o', OPERATION));

    await expect(service.checkOut('o', OPERATION)).rejects.toMatchObject({
      ...{ code: 'too-many-checkouts', retry: 'safe', retryAfterSeconds: 1 },
    });
    expect([ends.length, inGate()]).toEqual([MAX_CHECKOUTS, MAX_CHECKOUTS]);

    ends[0]?.(7);
    expect(await open[0]).toEqual({ state: 'ended', checkout: { number: 7 } });
    const next = service.checkOut('o', OPERATION);
    for (const end of ends) end(8);
    expect(await next).toEqual({ state: 'ended', checkout: { number: 8 } });
    expect([(await Promise.all(open)).length, inGate()]).toEqual([MAX_CHECKOUTS, 0]);
  });

  it('given a checkout that cannot begin, has room for another', async () => {
    const { service, inGate } = serviceOf({ begin: () => Promise.reject(new Error('full')) });
    for (let time = 0; time <= MAX_CHECKOUTS; time += 1) {
      await expect(service.checkOut('o', OPERATION)).rejects.toThrow('full');
    }
    expect(inGate()).toBe(0);
  });

  it('given checkouts that were answered before they ended, has no room until they end', async () => {
    const ends: (() => void)[] = [];
    const { service } = serviceOf({
      begin: () => Promise.resolve(1),
      ended: () => new Promise((resolve) => ends.push(resolve)),
      after: (_ms, task) => {
        task();
        return () => undefined;
      },
    });
    const answers = await Promise.all(Array.from({ length: MAX_CHECKOUTS }, () => service.checkOut('o', OPERATION)));
    expect(new Set(answers.map(({ state }) => state))).toEqual(new Set(['running']));

    await expect(service.checkOut('o', OPERATION)).rejects.toMatchObject({ code: 'too-many-checkouts' });
    ends[0]?.();
    const [first] = answers;
    await (first?.state === 'running' && first.ended);
    expect(await service.checkOut('o', OPERATION)).toMatchObject({ state: 'running' });
  });
});
