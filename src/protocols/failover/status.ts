import { z } from 'zod';

const HEALTH = ['starting', 'healthy', 'suspect', 'dead', 'restarting'] as const;

const changeSchema = z.object({
  at: z.iso.datetime(),
  from: z.enum(HEALTH),
  to: z.enum(HEALTH),
  reason: z.string().nullable(),
});

const processSchema = z.object({
  name: z.string(),
  /** Null until it has echoed. A Redis node has the role `cache`. */
  role: z.enum(['active', 'standby', 'replica', 'reader', 'gateway', 'cache']).nullable(),
  health: z.enum(HEALTH),
  /** Why it is not healthy. */
  reason: z.string().nullable(),
  /** Null while it does not run. */
  pid: z.number().nullable(),
  url: z.string().nullable(),
  /** How long the present process runs. */
  ageMs: z.number().nullable(),
  restarts: z.number(),
  lastEchoMsAgo: z.number().nullable(),
  epoch: z.number().nullable(),
  /** It died often in a short time, and waits ever longer before the next start. */
  isFlapping: z.boolean(),
  nextStartInMs: z.number().nullable(),
  log: z.string(),
  /** The latest last. */
  history: z.array(changeSchema),
});

const takeoverSchema = z.object({
  at: z.iso.datetime(),
  of: z.string(),
  by: z.string().nullable(),
  cause: z.enum(['died', 'hung']),
  detectionMs: z.number(),
  takeoverMs: z.number().nullable(),
  recoveryMs: z.number().nullable(),
});

/** The answer to `GET /status` of the supervisor. */
export const statusSchema = z.object({
  supervisor: z.object({ pid: z.number(), startedAt: z.iso.datetime() }),
  at: z.iso.datetime(),
  active: z.string().nullable(),
  processes: z.array(processSchema),
  /** The latest last. One without `recoveryMs` is under way. */
  failovers: z.array(takeoverSchema),
  aFailureNow: z.array(z.object({ failureOf: z.string(), isMasked: z.boolean(), outcome: z.string() })),
});

export type SupervisorStatus = z.infer<typeof statusSchema>;
export type ProcessStatus = z.infer<typeof processSchema>;
