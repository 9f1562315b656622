import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { removeDirectory, temporaryDirectory } from '../../../../test/support/app-process.js';
import { eventually } from '../../../../test/support/eventually.js';
import { SagaShop, type SagaShopPorts } from '../../../../test/support/saga-shop.js';
import { SHOP_SAGA } from '../../../../test/support/shop-saga.js';
import { SimulatedTimers } from '../../../../test/support/simulated-timers.js';
import { storageFull } from '../../../kernel/index.js';
import { defineSaga } from '../core/definition.js';
import type { StepOutcome } from '../ports.js';

const NEVER = (): boolean => false;

describe('the relay of a saga on real SQL files', () => {
  let directory: string;
  let shop: SagaShop;

  const open = async (ports: SagaShopPorts = {}): Promise<void> => {
    shop = await SagaShop.open(directory, ports);
    await shop.relay.start(NEVER);
  };
  const reopen = async (ports: SagaShopPorts = {}, end: 'close' | 'die' = 'close'): Promise<void> => {
    await shop[end]();
    await open(ports);
  };
  const stepsOf = (number: number): readonly string[] =>
    shop.relay.timeline(number).map(({ by, step }) => `${by} ${step}`);

  beforeEach(() => {
    directory = temporaryDirectory();
  });

  afterEach(async () => {
    await shop.close();
    removeDirectory(directory);
  });

  it('given a saga in which no step is refused, does each step once, in order, and tells its end', async () => {
    await open();

    const number = await shop.begin({ order: 'o-1' });

    expect(await shop.relay.ended(number)).toEqual({ state: 'completed', data: { order: 'o-1' } });
    expect(stepsOf(number)).toEqual([
      ...['orders start', 'payment authorise', 'stock take', 'payment capture', 'orders mark-paid'],
    ]);
    expect(shop.counts()).toMatchObject({ credit: 2, held: 0, charged: 1, stock: 1, sold: 1 });
    expect(shop.relay.openOf(number)).toEqual([]);
  });

  it('given refusals, undoes what was done before the answer, the last step first', async () => {
    await open();
    const numbers = await Promise.all([shop.begin(), shop.begin(), shop.begin()]);

    const ends = await Promise.all(numbers.map((number) => shop.relay.ended(number)));

    expect(ends.map(({ state }) => state).sort()).toEqual(['completed', 'completed', 'refused']);
    const refused = numbers[ends.findIndex(({ state }) => state === 'refused')]!;
    expect(stepsOf(refused)).toEqual([
      ...['orders start', 'payment authorise', 'stock take', 'payment void', 'orders unlock'],
    ]);
    expect(shop.counts()).toMatchObject({ credit: 1, held: 0, charged: 2, stock: 0, sold: 2 });
    const fourth = await shop.begin();
    expect(await shop.relay.ended(fourth)).toMatchObject({ data: { reason: 'too little for take' } });
  });

  it('given many sagas at once, makes one commit per module and step', async () => {
    await open();
    let commits = 0;
    shop.databases.payment.reader.onCommit = () => (commits += 1);

    const numbers = await Promise.all([1, 2, 3, 4, 5].map(() => shop.begin()));
    await Promise.all(numbers.map((number) => shop.relay.ended(number)));

    // authorise of all five; capture and void of all five.
    expect(commits).toBe(2);
  });

  it('given a death between the commit of a step and its note, delivers twice, with one effect', async () => {
    await open({ before: (step) => (step === 'take' ? fail(new Error('the process dies first')) : undefined) });
    const number = await shop.begin();
    await eventually(() => expect(shop.relay.openOf(number)[0]).toMatchObject({ event: 'credit-authorised' }));
    await shop.die();
    const events: string[] = [];
    shop = await SagaShop.open(directory, {
      wrap: (file) => {
        const react = file.react.bind(file);
        file.react = (event, ...rest) => {
          events.push(event.name);
          react(event, ...rest);
        };
        return file;
      },
    });

    await shop.relay.start(NEVER);

    expect(events.slice(0, 2).sort()).toEqual(['checkout-started', 'credit-authorised']);
    expect(shop.counts()).toMatchObject({ 'authorise ran': 1, 'take ran': 1, charged: 1, sold: 1 });
    expect(await rowsWith('pending')).toEqual([]);
  });

  it('given a step that throws, tries it again until it is done, and never compensates', async () => {
    let failures = 5;
    await open({
      before: (step) => {
        failures -= step === 'capture' ? 1 : 0;
        return step === 'capture' && failures >= 0 ? fail(new Error('broken')) : undefined;
      },
    });

    const number = await shop.begin();

    expect(await shop.relay.ended(number)).toMatchObject({ state: 'completed' });
    expect(shop.counts()).toMatchObject({ 'capture ran': 1, charged: 1 });
    expect(shop.log.warnings).toContain('an event of a saga could not be delivered and is tried again');
  });

  it('given a step that throws until its budget is used up, parks the event, and gives it one try per drain', async () => {
    let tries = 0;
    let isBroken = true;
    const before = (step: string): undefined => {
      if (step !== 'authorise') return;
      tries += 1;
      if (isBroken) fail(new Error('broken'));
    };
    await open({ before, definition: defineSaga({ ...SHOP_SAGA, retry: { attempts: 3, baseMs: 1, maxMs: 2 } }) });
    const number = await shop.begin();
    await eventually(() => expect(shop.relay.parked).toHaveLength(1));
    expect(tries).toBe(3);

    await shop.relay.drain();
    expect(tries).toBe(4);
    expect(shop.relay.openOf(number)).toMatchObject([
      { state: 'parked', to: 'payment', reason: 'broken', attempts: 3 },
    ]);

    await reopen({ before });
    expect(tries).toBe(5);
    expect(shop.relay.parked).toMatchObject([{ saga: { number }, attempts: 3 }]);

    isBroken = false;
    await shop.relay.resume(number);
    expect(shop.relay.openOf(number)).toEqual([]);
    expect(shop.counts()).toMatchObject({ 'authorise ran': 1, charged: 1 });
  });

  it('given restarts, keeps the failed tries of an event, and none of its tries at a start is counted', async () => {
    const timers = new SimulatedTimers();
    const ports: SagaShopPorts = {
      before: (step) => (step === 'take' ? fail(new Error('broken')) : undefined),
      relay: { timers },
    };
    await open(ports);
    const number = await shop.begin();
    await eventually(() => expect(shop.relay.openOf(number)).toMatchObject([{ state: 'waiting', attempts: 1 }]));
    timers.pass(20);
    await eventually(() => expect(shop.relay.openOf(number)).toMatchObject([{ state: 'waiting', attempts: 2 }]));
    const { nextAtMs } = shop.relay.openOf(number)[0]!;

    for (const _ of [1, 2, 3]) {
      await reopen(ports);
      expect(shop.relay.openOf(number)).toMatchObject([{ state: 'waiting', attempts: 2, nextAtMs }]);
    }
  });

  it('given a full disk, keeps the tries in memory, parks, and finishes at the next drain with room', async () => {
    let isFull = false;
    const definition = defineSaga({ ...SHOP_SAGA, retry: { attempts: 3, baseMs: 1, maxMs: 2 } });
    await open({ definition });
    for (const { writer } of Object.values(shop.databases)) {
      const run = writer.run.bind(writer);
      writer.run = (work) => (isFull ? Promise.reject(storageFull(undefined)) : run(work));
    }
    const record = await shop.databases.orders.writer.run(() => shop.files.orders.begin({ number: 1, id: 'a' }, {}));
    isFull = true;
    shop.relay.begun(record);
    await eventually(() => expect(shop.relay.parked).toMatchObject([{ attempts: 3 }]));
    await shop.relay.drain();
    expect(shop.relay.parked).toHaveLength(1);

    isFull = false;
    await shop.relay.drain();

    expect(shop.relay.parked).toEqual([]);
    expect(shop.counts()).toMatchObject({ charged: 1, sold: 1 });
  });

  it('given a step that answers later, keeps nothing of it, waits, and does it when it can', async () => {
    let times = 3;
    await open({ before: (step) => (step === 'authorise' && times-- > 0 ? { later: 'held elsewhere' } : undefined) });

    const number = await shop.begin();

    expect(await shop.relay.ended(number)).toMatchObject({ state: 'completed' });
    expect(shop.counts()).toMatchObject({ 'authorise ran': 1 });
  });

  it('given a step that answers later until its budget is used up, tells its refusal with the reason', async () => {
    const later: StepOutcome = { later: 'held elsewhere' };
    const definition = defineSaga({ ...SHOP_SAGA, retry: { attempts: 3, baseMs: 1, maxMs: 2 } });
    await open({ before: (step) => (step === 'authorise' ? later : undefined), definition });

    const number = await shop.begin();

    expect(await shop.relay.ended(number)).toEqual({ state: 'refused', data: { reason: 'held elsewhere' } });
    expect(stepsOf(number)).toEqual(['orders start', 'payment authorise', 'orders unlock']);
    expect(shop.relay.parked).toEqual([]);
  });

  it('given a saga that is superseded, delivers none of its events, also after a restart', async () => {
    await open({ before: (step) => (step === 'take' ? fail(new Error('broken')) : undefined) });
    const number = await shop.begin();
    await eventually(() => expect(shop.relay.openOf(number)[0]?.attempts).toBeGreaterThan(0));
    await shop.die();
    shop = await SagaShop.open(directory);

    await shop.relay.start(() => true);

    expect(shop.relay.openOf(number)).toEqual([]);
    expect(shop.counts()).toMatchObject({ held: 1, stock: 2 });
    await shop.close();
    await open();
    expect(shop.counts()).toMatchObject({ held: 1, stock: 2 });
  });

  it('given a saga that is superseded while its step is under way, ends it there and tells so', async () => {
    await open();
    const number = await shop.begin();
    const end = shop.relay.ended(number);

    shop.relay.supersede(number);

    expect(await end).toEqual({ state: 'superseded', data: {} });
    await shop.relay.atRest();
    await eventually(() => expect(shop.relay.openOf(number)).toEqual([]));
    expect(shop.counts()).toMatchObject({ held: 1, stock: 2 });
  });

  it('given a delay before each delivery, delays all of them at once', async () => {
    const timers = new SimulatedTimers();
    await open({ relay: { timers, deliveryDelayMs: 400 } });
    await Promise.all([shop.begin(), shop.begin()]);

    for (const step of ['authorise', 'take', 'capture', 'mark-paid']) {
      await eventually(() => expect(timers.pending).toBe(2));
      expect(shop.counts()).not.toHaveProperty([`${step} ran`]);
      timers.pass(400);
    }
    await eventually(() => expect(shop.counts()).toMatchObject({ charged: 2, sold: 2, 'mark-paid ran': 2 }));
  });

  it('does not poll: an idle saga has no timer', async () => {
    const timers = new SimulatedTimers();
    await open({ relay: { timers } });

    await shop.relay.ended(await shop.begin());

    expect(timers.pending).toBe(0);
  });

  const rowsWith = async (delivery: string): Promise<readonly unknown[]> => {
    await Promise.all(Object.values(shop.databases).map(({ writer }) => writer.drained()));
    return Object.values(shop.databases).flatMap(({ reader }) =>
      reader.handle.prepare('SELECT step FROM saga_steps WHERE delivery = ?').pluck().all(delivery),
    );
  };
});

function fail(error: Error): never {
  throw error;
}
