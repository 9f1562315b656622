import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { removeDirectory, temporaryDirectory } from '../../../../test/support/app-process.js';
import { eventually } from '../../../../test/support/eventually.js';
import { SagaShop, type SagaShopPorts } from '../../../../test/support/saga-shop.js';
import { SHOP_SAGA } from '../../../../test/support/shop-saga.js';
import { SimulatedTimers } from '../../../../test/support/simulated-timers.js';
import { storageFull } from '../../../kernel/index.js';
import { defineSaga } from '../core/definition.js';
import type { StepOutcome } from '../ports.js';

const NEVER = (): boolean => false;
const BROKEN = new Error('broken');
const LATER: StepOutcome = { later: 'held elsewhere' };

const fail = (): never => {
  throw BROKEN;
};
const stepsOf = (shop: SagaShop, number: number): readonly string[] =>
  shop.relay.timeline(number).map(({ by, step }) => `${by} ${step}`);

describe('the relay of a saga on real SQL files', () => {
  let directory: string;
  let shop: SagaShop;
  let before: NonNullable<SagaShopPorts['before']>;
  let isFull: boolean;
  let superseded: number | undefined;

  beforeAll(async () => {
    directory = temporaryDirectory();
    shop = await SagaShop.open(directory, {
      before: (step, number) => before(step, number),
      definition: defineSaga({ ...SHOP_SAGA, retry: { attempts: 3, baseMs: 1, maxMs: 2 } }),
    });
    for (const { writer } of Object.values(shop.databases)) {
      const run = writer.run.bind(writer);
      writer.run = (work) => (isFull ? Promise.reject(storageFull(undefined)) : run(work));
    }
    await shop.relay.start(({ number }) => number === superseded);
  });

  beforeEach(async () => {
    before = () => undefined;
    isFull = false;
    await shop.fill({ credit: 3, stock: 2 });
  });

  afterAll(async () => {
    await shop.close();
    removeDirectory(directory);
  });

  it('given a saga in which no step is refused, does each step once, in order, and tells its end', async () => {
    const number = await shop.begin({ order: 'o-1' });

    expect(await shop.relay.ended(number)).toEqual({ state: 'completed', data: { order: 'o-1' } });
    expect(stepsOf(shop, number)).toEqual([
      ...['orders start', 'payment authorise', 'stock take', 'payment capture', 'orders mark-paid'],
    ]);
    expect(shop.counts()).toMatchObject({ credit: 2, held: 0, charged: 1, stock: 1, sold: 1 });
    expect(shop.relay.openOf(number)).toEqual([]);
  });

  it('given refusals, undoes what was done before the answer, the last step first', async () => {
    const numbers = await Promise.all([shop.begin(), shop.begin(), shop.begin()]);

    const ends = await Promise.all(numbers.map((number) => shop.relay.ended(number)));

    expect(ends.map(({ state }) => state).sort()).toEqual(['completed', 'completed', 'refused']);
    const refused = numbers[ends.findIndex(({ state }) => state === 'refused')]!;
    expect(stepsOf(shop, refused)).toEqual([
      ...['orders start', 'payment authorise', 'stock take', 'payment void', 'orders unlock'],
    ]);
    expect(shop.counts()).toMatchObject({ credit: 1, held: 0, charged: 2, stock: 0, sold: 2 });
    const fourth = await shop.begin();
    expect(await shop.relay.ended(fourth)).toMatchObject({ data: { reason: 'too little for take' } });
  });

  it('given many sagas at once, makes one commit per module and step', async () => {
    let commits = 0;
    await shop.databases.payment.writer.drained();
    shop.databases.payment.reader.onCommit = () => (commits += 1);

    const numbers = await Promise.all([1, 2, 3, 4, 5].map(() => shop.begin()));
    await Promise.all(numbers.map((number) => shop.relay.ended(number)));

    // One with authorise of all five; one with capture and void.
    expect(commits).toBe(2);
    shop.databases.payment.reader.onCommit = undefined;
  });

  it('given a step that throws, tries it again until it is done, and never compensates', async () => {
    let failures = 2;
    before = (step) => (step === 'capture' && failures-- > 0 ? fail() : undefined);

    const number = await shop.begin();

    expect(await shop.relay.ended(number)).toMatchObject({ state: 'completed' });
    expect(shop.counts()).toMatchObject({ 'capture ran': 1, charged: 1 });
    expect(shop.log.warnings).toContain('an event of a saga could not be delivered and is tried again');
  });

  it('given a step that answers later, keeps nothing of it, waits, and does it when it can', async () => {
    let times = 2;
    before = (step) => {
      if (step !== 'authorise' || times-- === 0) return undefined;
      shop.databases.payment.writeHandle.prepare('UPDATE counts SET value = 0').run();
      return LATER;
    };

    const number = await shop.begin();

    expect(await shop.relay.ended(number)).toMatchObject({ state: 'completed' });
    expect(shop.counts()).toMatchObject({ 'authorise ran': 1, credit: 2, charged: 1 });
  });

  it('given a step that answers later until its budget is used up, tells its refusal with the reason', async () => {
    before = (step) => (step === 'authorise' ? LATER : undefined);

    const number = await shop.begin({ order: 'o-1' });

    expect(await shop.relay.ended(number)).toEqual({
      ...{ state: 'refused', data: { order: 'o-1', reason: 'held elsewhere' } },
    });
    expect(stepsOf(shop, number)).toEqual(['orders start', 'payment authorise', 'orders unlock']);
    expect(shop.relay.parked).toEqual([]);
  });

  it('given a full disk, keeps the tries in memory, parks, and finishes at the next drain with room', async () => {
    before = () => {
      isFull = true;
      return fail();
    };
    await shop.begin();
    await eventually(() => expect(shop.relay.parked).toMatchObject([{ attempts: 3 }]));
    await shop.relay.drain();
    expect(shop.relay.parked).toMatchObject([{ reason: 'the disk is full; nothing was written' }]);

    isFull = false;
    before = () => undefined;
    await shop.relay.drain();

    expect(shop.relay.parked).toEqual([]);
    expect(shop.counts()).toMatchObject({ charged: 1, sold: 1 });
  });

  it('given an event in an outbox of which it was not told, delivers it at the next drain', async () => {
    const { orders } = shop.files;
    const saga = { number: orders.highestNumber + 1_000, id: 'a' };
    await shop.databases.orders.writer.run(() => orders.begin(saga, {}));

    await shop.relay.drain();

    expect(shop.counts()).toMatchObject({ charged: 1, sold: 1, 'mark-paid ran': 1 });
  });

  it('given an event under way, refuses a pause', async () => {
    const number = await shop.begin();
    expect(shop.relay.pause()).toMatchObject({ blockedBy: { saga: { number }, state: 'delivering' } });
    await shop.relay.ended(number);
  });

  it('given a parked saga that has done a step, refuses a pause and names its event', async () => {
    before = (step) => (step === 'take' ? fail() : undefined);
    const number = await shop.begin();
    await eventually(() => expect(shop.relay.parked).toHaveLength(1));

    const blockedBy = { saga: { number }, event: 'credit-authorised', state: 'parked', reason: 'broken' };
    expect(shop.relay.pause()).toMatchObject({ blockedBy });

    before = () => undefined;
    await shop.relay.drain();
    expect(shop.counts()).toMatchObject({ held: 0, charged: 1, sold: 1 });
  });

  it('given a pause, runs no step before its end; a saga superseded meanwhile is cut off, and told so', async () => {
    before = (step) => (step === 'authorise' ? fail() : undefined);
    const [lost, other] = [await shop.begin(), await shop.begin()];
    await eventually(() => expect(shop.relay.parked).toHaveLength(2));
    const end = shop.relay.ended(lost);
    before = () => undefined;

    const pause = shop.relay.pause();
    const tries = [shop.relay.drain(), shop.relay.resume(lost)];
    superseded = lost;
    expect(shop.counts()).toEqual({ credit: 3, stock: 2 });
    if ('goOn' in pause) pause.goOn();
    await Promise.all(tries);

    expect(await end).toEqual({ state: 'superseded', data: {} });
    expect([shop.relay.openOf(lost), stepsOf(shop, lost)]).toEqual([[], ['orders start']]);
    expect(stepsOf(shop, other)).toContain('orders mark-paid');
    expect(shop.counts()).toMatchObject({ held: 0, charged: 1, sold: 1 });
  });
});

describe('the relay of a saga after a restart', () => {
  let directory: string;
  let shop: SagaShop;

  const open = async (ports: SagaShopPorts = {}, isSuperseded = NEVER): Promise<void> => {
    shop = await SagaShop.open(directory, ports);
    await shop.relay.start(isSuperseded);
  };

  beforeEach(() => {
    directory = temporaryDirectory();
  });

  afterEach(async () => {
    await shop.close();
    removeDirectory(directory);
  });

  it('given a death between the commit of a step and its note, delivers twice, with one effect', async () => {
    await open({ before: (step) => (step === 'take' ? fail() : undefined) });
    const number = await shop.begin();
    await eventually(() => expect(shop.relay.openOf(number)).toMatchObject([{ event: 'credit-authorised' }]));
    await shop.die();
    const events: string[] = [];

    await open({
      wrap: (file) => {
        const react = file.react.bind(file);
        file.react = (event, ...rest) => {
          events.push(event.name);
          react(event, ...rest);
        };
        return file;
      },
    });

    expect(events.slice(0, 2).sort()).toEqual(['checkout-started', 'credit-authorised']);
    expect(shop.counts()).toMatchObject({ 'authorise ran': 1, 'take ran': 1, charged: 1, sold: 1 });
    await Promise.all(Object.values(shop.databases).map(({ writer }) => writer.drained()));
    expect(Object.values(shop.files).flatMap((file) => file.undelivered())).toEqual([]);
  });

  it('keeps the failed tries of an event, and counts none of its tries at a start', async () => {
    const timers = new SimulatedTimers();
    const ports: SagaShopPorts = { before: (step) => (step === 'take' ? fail() : undefined), relay: { timers } };
    await open(ports);
    const number = await shop.begin();
    await eventually(() => expect(shop.relay.openOf(number)).toMatchObject([{ state: 'waiting', attempts: 1 }]));
    timers.pass(20);
    await eventually(() => expect(shop.relay.openOf(number)).toMatchObject([{ state: 'waiting', attempts: 2 }]));
    const { nextAtMs } = shop.relay.openOf(number)[0]!;

    for (const _ of [1, 2]) {
      await shop.close();
      await open(ports);
      expect(shop.relay.openOf(number)).toMatchObject([{ state: 'waiting', attempts: 2, nextAtMs }]);
    }
  });

  it('gives a parked event one try, as each drain does, and goes on when it succeeds', async () => {
    let tries = 0;
    let isBroken = true;
    const before = (step: string): undefined => {
      if (step !== 'authorise') return;
      tries += 1;
      if (isBroken) fail();
    };
    await open({ before, definition: defineSaga({ ...SHOP_SAGA, retry: { attempts: 3, baseMs: 1, maxMs: 2 } }) });
    const number = await shop.begin();
    await eventually(() => expect(shop.relay.parked).toHaveLength(1));
    expect([tries, shop.relay.underWay]).toEqual([3, 0]);

    await shop.relay.drain();
    expect(tries).toBe(4);
    expect(shop.relay.openOf(number)).toMatchObject([
      { state: 'parked', to: 'payment', reason: 'broken', attempts: 3 },
    ]);

    await shop.close();
    await open({ before });
    expect(tries).toBe(5);
    expect(shop.relay.parked).toMatchObject([{ saga: { number }, attempts: 3 }]);

    isBroken = false;
    await shop.relay.resume(number);
    expect(shop.relay.openOf(number)).toEqual([]);
    expect(shop.counts()).toMatchObject({ 'authorise ran': 1, charged: 1 });
  });

  it('given the event before a parked one in an outbox too, and the parked one delivered first, is done', async () => {
    await open({
      before: (step) => (step === 'capture' ? fail() : undefined),
      definition: defineSaga({ ...SHOP_SAGA, retry: { attempts: 3, baseMs: 1, maxMs: 2 } }),
      wrap: (file) => (file.participant === 'payment' ? Object.assign(file, { note: () => undefined }) : file),
    });
    await shop.begin();
    await eventually(() => expect(shop.relay.parked).toHaveLength(1));
    await shop.close();

    await open({
      wrap: (file) => {
        const react = file.react.bind(file);
        if (file.participant !== 'stock') return file;
        file.react = (event, isLastTry, settled) => {
          react(event, isLastTry, (reaction) => {
            void eventually(() => expect(shop.counts()).toMatchObject({ 'mark-paid ran': 1 })).then(() => {
              settled(reaction);
            });
          });
        };
        return file;
      },
    });

    expect(shop.relay.parked).toEqual([]);
    expect(shop.counts()).toMatchObject({ charged: 1, sold: 1 });
  });

  it('delivers no event of a saga that is superseded, and at the next start knows it by its rows', async () => {
    await open({ before: (step) => (step === 'authorise' ? fail() : undefined) });
    const number = await shop.begin();
    await eventually(() => expect(shop.relay.openOf(number)[0]?.attempts).toBeGreaterThan(0));
    await shop.die();

    await open({}, () => true);
    expect(shop.relay.openOf(number)).toEqual([]);
    await shop.close();
    await open();

    expect(shop.counts()).toEqual({ credit: 3, stock: 2 });
  });

  it('delays all deliveries at once where a delay is set, and leaves no timer behind', async () => {
    const timers = new SimulatedTimers();
    await open({ relay: { timers, deliveryDelayMs: 400 } });
    await Promise.all([shop.begin(), shop.begin()]);

    for (const step of ['authorise', 'take', 'capture', 'mark-paid']) {
      await eventually(() => expect(timers.pending).toBe(2));
      expect(shop.relay.underWay).toBe(2);
      expect(shop.counts()).not.toHaveProperty([`${step} ran`]);
      timers.pass(400);
    }
    await eventually(() => expect(shop.counts()).toMatchObject({ charged: 2, sold: 2, 'mark-paid ran': 2 }));
    expect(shop.relay.underWay).toBe(0);
    expect(timers.pending).toBe(0);
  });
});
