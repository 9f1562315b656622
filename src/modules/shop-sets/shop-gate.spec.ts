import { describe, expect, it } from '@jest/globals';
import { ShopGate } from './shop-gate.js';

describe('the gate of the shop', () => {
  it('lets in any number of checkouts, and no batch_init until the last of them has left', async () => {
    const gate = new ShopGate();
    const [first, second] = [gate.enterCheckout(), gate.enterCheckout()];
    await expect(gate.enterBatchInit('users')).rejects.toThrow('2 checkouts are under way; nothing was written');
    first();
    await expect(gate.enterBatchInit('users')).rejects.toMatchObject({
      ...{ code: 'conflict', retry: 'safe', message: '1 checkout is under way; nothing was written' },
    });
    second();
    await gate.enterBatchInit('users');
  });

  it('lets in a batch_init once the checkouts that have begun stand still, and lets them go on when it has left', async () => {
    const gate = new ShopGate();
    let goesOn = false;
    gate.begun = { standStill: () => Promise.reject(new Error('one is under way')) };
    await expect(gate.enterBatchInit('users')).rejects.toThrow('one is under way');
    gate.enterCheckout()();
    gate.begun = { standStill: () => Promise.resolve(() => (goesOn = true)) };
    const leave = await gate.enterBatchInit('users');
    expect(goesOn).toBe(false);
    leave();
    expect(goesOn).toBe(true);
  });

  it('lets in one batch_init, and neither another nor a checkout until it has left', async () => {
    const gate = new ShopGate();
    const entering = gate.enterBatchInit('users');
    expect(() => gate.enterCheckout()).toThrow('a batch_init replaces users; nothing was written');
    await expect(gate.enterBatchInit('orders')).rejects.toThrow('a batch_init replaces users');
    (await entering)();
    (await gate.enterBatchInit('orders'))();
    expect(() => gate.enterCheckout()).not.toThrow();
  });
});
