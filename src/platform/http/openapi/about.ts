import { z } from 'zod';
import { viewOperation } from './operations.js';

const liveSchema = z
  .object({ status: z.literal('ok'), pid: z.int().min(1).meta({ example: 4711 }) })
  .meta({ id: 'Live' });
export type Live = z.infer<typeof liveSchema>;

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
