import { z } from 'zod';

/** A setting is text: `1e3`, `0x10` and blanks, which JavaScript takes for numbers, are refused. */
const wholeNumber = (rule: string, least: number, most: number): z.ZodType<number, string> =>
  z
    .string()
    .regex(/^\d{1,15}$/, rule)
    .transform(Number)
    .pipe(z.number().min(least, rule).max(most, rule));

const port = (preset: number): z.ZodDefault<z.ZodType<number, string>> =>
  wholeNumber('must be a port from 0 to 65535 (0: any free one)', 0, 65_535).default(preset);
const bytes = (preset: number): z.ZodDefault<z.ZodType<number, string>> =>
  wholeNumber('must be a whole number of bytes', 0, Number.MAX_SAFE_INTEGER).default(preset);
const onOff = (preset: 'on' | 'off'): z.ZodDefault<z.ZodEnum<{ on: 'on'; off: 'off' }>> =>
  z.enum(['on', 'off'], 'must be on or off').default(preset);

const MEBIBYTE = 1024 * 1024;
const KEY_RULE = 'must be name:role:key,... with the roles read, write and operator, and keys of 16 characters or more';

const API_KEY = /^([\w.-]+):(read|write|operator):(\S{16,})$/;

const apiKeys = z
  .string()
  .default('')
  .transform((text, context) => {
    const found = text
      .split(',')
      .filter((entry) => entry !== '')
      .map((entry) => API_KEY.exec(entry));
    // The entries are secrets: none is repeated in the message.
    if (found.includes(null)) context.addIssue({ code: 'custom', message: KEY_RULE });
    return found.map((parts) => {
      const [, name = '', role = '', key = ''] = parts ?? [];
      return { name, role: role as 'read' | 'write' | 'operator', key };
    });
  });

const RATE_RULE = 'must be auto, off or a number of requests per minute';
const rateLimit = z
  .union([z.enum(['auto', 'off']), wholeNumber(RATE_RULE, 1, Number.MAX_SAFE_INTEGER)], RATE_RULE)
  .default('auto');

const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|localhost|::1)$/;

export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

/** Every setting, as it stands in the environment. `.env.example` says the same for people. */
export const settingsSchema = z
  .object({
    PORT: port(5050),
    HOST: z.string().min(1).default('127.0.0.1'),
    DATA_DIR: z.string().min(1).default('./data'),
    CACHE: onOff('on'),
    CACHE_BYTES: bytes(64 * MEBIBYTE),
    SEED: onOff('on'),
    API_KEYS: apiKeys,
    RATE_LIMIT: rateLimit,
    CLUSTER_SECRET: z.string().min(16, 'must have 16 characters or more').optional(),
    LOG_LEVEL: z
      .enum(['debug', 'info', 'warn', 'error', 'silent'], 'must be debug, info, warn, error or silent')
      .default('info'),
    SNAPSHOT_EVERY_BYTES: bytes(4 * MEBIBYTE),
    JOURNAL_RESERVE_BYTES: bytes(MEBIBYTE / 4),
    FAULTS: z.enum(['0', '1'], 'must be 0 or 1').default('0'),
    CRASH_SITE: z
      .string()
      .regex(/^[a-z][a-z.-]*(?:#[1-9]\d*)?$/, 'must be the name of a crash site, with #n for the n-th time')
      .optional(),
  })
  .superRefine((settings, context) => {
    if (!isLoopback(settings.HOST) && settings.API_KEYS.length === 0) {
      context.addIssue({
        code: 'custom',
        path: ['API_KEYS'],
        message: `must be set to listen on ${settings.HOST}: without keys only this machine may call (HOST=127.0.0.1)`,
      });
    }
    if (settings.CRASH_SITE !== undefined && settings.FAULTS !== '1') {
      context.addIssue({ code: 'custom', path: ['CRASH_SITE'], message: 'needs FAULTS=1' });
    }
    const names = settings.API_KEYS.map(({ name }) => name);
    if (new Set(names).size < names.length) {
      context.addIssue({ code: 'custom', path: ['API_KEYS'], message: 'must name each key differently' });
    }
  });
