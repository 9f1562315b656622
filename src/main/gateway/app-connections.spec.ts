import { expect, it } from '@jest/globals';
import { parseGatewayConfig } from '../../config/load-gateway-config.js';
import { kindOf } from './app-connections.js';

it.each([
  ['passwords', '/user-commands/users/register'],
  ['passwords', '/token'],
  ['passwords', '/token?x=1'],
  ['writes', '/tokens'],
  ['writes', '/books'],
  ['long', '/orders/checkout/1'],
])('the connections for %s carry a write to %s', (kind, path) => {
  expect(kindOf(false, path, undefined)).toBe(kind);
});

it('a request with a password waits for as long as an added key lives, less the time without an app', () => {
  const { limits, passwordLimits } = parseGatewayConfig({});
  expect(passwordLimits.holdMs + passwordLimits.activeMs).toBe(120_000);
  expect(passwordLimits.activeMs).toBeGreaterThan(limits.activeMs);
});
