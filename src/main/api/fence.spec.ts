import { describe, expect, it } from '@jest/globals';
import Fastify from 'fastify';
import { AppError } from '../../kernel/index.js';
import { SimulatedTimers } from '../../../test/support/simulated-timers.js';
import { useFence } from './fence.js';

/** Says when it was asked, and refuses from the moment when `isLost` is set. */
class Reader {
  isLost = false;
  asked = 0;

  assertOwned(): void {
    this.asked += 1;
    if (this.isLost) throw new AppError('superseded', 'another one has begun', { retry: 'unknown' });
  }
}

describe('the fence of an app', () => {
  const started = (): { reader: Reader; timers: SimulatedTimers; get: () => Promise<number>; end: () => void } => {
    const server = Fastify();
    const [reader, timers] = [new Reader(), new SimulatedTimers()];
    const end = useFence(server, reader, timers);
    server.get('/customers', () => ['from memory']);
    return { reader, timers, end, get: async () => (await server.inject('/customers')).statusCode };
  };

  it('asks at each request, and refuses the request when a successor has taken over', async () => {
    const { reader, get } = started();
    expect(await get()).toBe(200);
    reader.isLost = true;

    expect(await get()).toBe(500);
    expect(reader.asked).toBe(2);
  });

  it('without requests asks every 250 ms, also after a refusal, until it ends', () => {
    const { reader, timers, end } = started();
    timers.pass(500);
    reader.isLost = true;
    timers.pass(500);
    expect(reader.asked).toBe(4);
    end();

    expect(timers.pending).toBe(0);
  });
});
