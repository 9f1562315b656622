import { describe, expect, it } from '@jest/globals';
import { keyOwnerOf, networkOf } from './key-owner.js';

describe('the owner of a key', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::9', '2001:db8:1:2'],
    ['2001:0db8:0001:0002::', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['::1', '0:0:0:0'],
  ])('given no API keys, and %s, is %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  it('given API keys, is their name, whatever the address', () => {
    const owners = ['10.0.0.1', '10.0.0.2'].map((ip) => keyOwnerOf({ caller: 'shop', ip }));
    expect(new Set([...owners, keyOwnerOf({ caller: 'other', ip: '10.0.0.1' })]).size).toBe(2);
    expect(keyOwnerOf({ caller: 'anonymous', ip: '10.0.0.1' })).toMatch(/^[\w-]{8}$/);
  });
});
