import { z } from 'zod';
import { viewOperation } from './operations.js';

const liveSchema = z
  .object({ status: z.literal('ok'), pid: z.int().min(1).meta({ example: 4711 }) })
  .meta({ id: 'Live' });
export type Live = z.infer<typeof liveSchema>;

const echoSchema = z
  .object({
    pid: z.int().min(1).meta({ example: 4711 }),
    role: z.enum(['active', 'standby', 'replica', 'reader', 'gateway']).meta({ example: 'active' }),
    state: z.enum(['open', 'opening', 'draining', 'waiting']).meta({ example: 'open' }),
    epoch: z.int().min(1).nullable().meta({ example: 7 }),
  })
  .meta({ id: 'Echo' });
export type Echo = z.infer<typeof echoSchema>;

const readySchema = z
  .object({
    status: z.literal('ok'),
    details: z
      .record(z.string(), z.looseObject({ status: z.literal('up') }))
      .meta({ example: { documents: { status: 'up', position: '1.42' } } }),
  })
  .meta({ id: 'Ready' });
export type Ready = z.infer<typeof readySchema>;

export const LIVE_OPERATION = viewOperation({
  id: 'readLive',
  summary: 'Check that the process answers; needs no key',
  shown: liveSchema,
  open: true,
});

export const ECHO_OPERATION = viewOperation({
  id: 'readEcho',
  summary: 'Check that the process turns, and what it is; needs no key',
  description:
    'Touches no store and is never refused. `state` is `open` when requests are served, `opening` before, `waiting` in a standby ' +
    'that waits for the active app to end, `draining` during a stop. `epoch` is that of the writing process; null elsewhere.',
  shown: echoSchema,
  open: true,
});

export const READY_OPERATION = viewOperation({
  id: 'readReady',
  summary: 'Check that every part that requests need is working',
  description: 'A refusal names in `errors` the parts that are down.',
  shown: readySchema,
  refusals: ['not-ready'],
  details: { 'not-ready': 'replication is down: waiting for replicas' },
});

export const METRICS_OPERATION = viewOperation({
  id: 'readMetrics',
  summary: 'Read the metrics in the Prometheus text format',
  shown: z.string(),
  type: 'text/plain',
});

export const rootOperation = (shown: z.ZodType): ReturnType<typeof viewOperation> =>
  viewOperation({
    id: 'readRoot',
    summary: 'Read the name and version of this process, and links to its routes',
    shown,
  });
