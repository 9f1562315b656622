import { z } from 'zod';

/**
 * The answer to `GET /health/echo`: the process runs and its event loop turns. Nothing that may wait for a disk, another process or a
 * lock takes part in it. An active app is `open` when it serves, `opening` while it takes over or recovers.
 */
export const echoSchema = z.object({
  pid: z.int().positive(),
  role: z.enum(['active', 'standby', 'replica', 'reader', 'gateway']),
  state: z.enum(['waiting', 'opening', 'open', 'draining']),
  /** The epoch of an active; null for all others, and until it has taken one. */
  epoch: z.int().nonnegative().nullable(),
});

export type Echo = z.infer<typeof echoSchema>;

export const ECHO_PATH = '/health/echo';

/** Undefined for anything but an echo of the process `pid`. */
export function echoOf(body: unknown, pid: number): Echo | undefined {
  const { data } = echoSchema.safeParse(body);
  return data?.pid === pid ? data : undefined;
}
