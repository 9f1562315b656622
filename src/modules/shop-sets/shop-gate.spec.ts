import { describe, expect, it } from '@jest/globals';
import { ShopGate } from './shop-gate.js';

describe('the gate of the shop', () => {
  it('lets in any number of checkouts, and no batch_init until the last of them has left', () => {
    const gate = new ShopGate();
    const [first, second] = [gate.enterCheckout(), gate.enterCheckout()];
    expect(() => gate.enterBatchInit('users')).toThrow('2 checkouts are under way; nothing was written');
    first();
    expect(() => gate.enterBatchInit('users')).toThrow(expect.objectContaining({ code: 'conflict', retry: 'safe' }));
    second();
    expect(() => gate.enterBatchInit('users')).not.toThrow();
  });

  it('lets in no batch_init while a checkout that has begun goes on', () => {
    const gate = new ShopGate();
    let goingOn = 1;
    gate.goingOn = () => goingOn;
    gate.enterCheckout()();
    expect(() => gate.enterBatchInit('users')).toThrow('1 checkouts are under way');
    goingOn = 0;
    expect(() => gate.enterBatchInit('users')).not.toThrow();
  });

  it('lets in one batch_init, and neither another nor a checkout until it has left', () => {
    const gate = new ShopGate();
    const leave = gate.enterBatchInit('users');
    expect(() => gate.enterCheckout()).toThrow('a batch_init replaces users; nothing was written');
    expect(() => gate.enterBatchInit('orders')).toThrow('a batch_init replaces users');
    leave();
    gate.enterBatchInit('orders')();
    expect(() => gate.enterCheckout()).not.toThrow();
  });
});
