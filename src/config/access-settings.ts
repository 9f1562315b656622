import { z } from 'zod';
import { type Role, ROLES } from '../kernel/index.js';
import { wholeNumber } from './whole-number.js';

const ROLE_NAMES = new Intl.ListFormat('en-GB').format(ROLES);
const KEY_RULE = `must be name:role:key,... with the roles ${ROLE_NAMES}, and keys of 16 characters or more`;
const API_KEY = new RegExp(`^([\\w.-]+):(${ROLES.join('|')}):(\\S{16,})$`);

export const apiKeys = z
  .string()
  .default('')
  .transform((text, context) => {
    const found = text
      .split(',')
      .filter((entry) => entry !== '')
      .map((entry) => API_KEY.exec(entry));
    // The message must not repeat an entry: entries are secrets.
    if (found.includes(null)) context.addIssue({ code: 'custom', message: KEY_RULE });
    return found.map((parts) => {
      const [, name = '', role = '', key = ''] = parts ?? [];
      return { name, role: role as Role, key };
    });
  });

const IS_ENTRY = /^[\w.-]+:(?:read|write|operator):/;
export const sentKey = z
  .string()
  .refine((text) => !IS_ENTRY.test(text), 'must be a key alone, without name and role as in API_KEYS')
  .optional();

const RATE_RULE = 'must be auto, off or a number of requests per minute';
export const rateLimit = z
  .union([z.enum(['auto', 'off']), wholeNumber(RATE_RULE, 1, Number.MAX_SAFE_INTEGER)], RATE_RULE)
  .default('auto');

const HOSTS_RULE = 'must be a comma-separated list of names or addresses without ports: shop.example,192.168.1.5';
const HOST_NAME = /^(?:[a-z\d](?:[\w.-]*[a-z\d])?|\[[\da-f:.]+\])$/;

export const allowedHosts = entries(HOSTS_RULE, (text) => {
  const host = text.toLowerCase();
  return HOST_NAME.test(host) ? host : undefined;
});

const ORIGINS_RULE = 'must be a comma-separated list of origins: https://shop.example,http://localhost:5173';

/** Origins as a browser sends them: scheme, name and any port that is not the scheme's default, without a trailing slash. */
export const corsOrigins = entries(ORIGINS_RULE, (text) => {
  const isOrigin = /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
  return isOrigin ? text : undefined;
});

/** Parses a comma-separated list. `read` returns undefined for an invalid entry. */
function entries(
  rule: string,
  read: (entry: string) => string | undefined,
): z.ZodPipe<z.ZodDefault<z.ZodString>, z.ZodTransform<string[], string>> {
  return z
    .string()
    .default('')
    .transform((text, context) => {
      const given = text.split(',').map((entry) => entry.trim());
      const found = given.filter((entry) => entry !== '').map(read);
      if (found.includes(undefined)) context.addIssue({ code: 'custom', message: rule });
      return found.filter((entry) => entry !== undefined);
    });
}
