import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { AppError, type FieldError } from '../../kernel/index.js';
import { packageVersion } from '../../platform/process/index.js';

export const nodeSchema = z.object({
  name: z.string().meta({ example: 'Bifolio replica' }),
  version: z.string().meta({ example: '0.1.0' }),
  port: z.int().min(1).max(65_535).meta({ example: 5071 }),
  nodeId: z.string().meta({ example: '127.0.0.1:5071' }),
  links: z.record(z.string(), z.string()).meta({ example: { customers: '/customers', docs: '/docs' } }),
});

export const liveSchema = z.object({ status: z.literal('ok'), pid: z.int().min(1).meta({ example: 4711 }) });

export const readySchema = z.object({
  status: z.literal('ok'),
  details: z.record(z.string(), z.looseObject({ status: z.literal('up') })).meta({
    example: {
      documents: { status: 'up', position: '1.42' },
      groups: { status: 'up', count: 2 },
      primary: { status: 'up' },
    },
  }),
});

export interface AboutOptions {
  /** `host:port`, as the primary calls this replica. */
  readonly node: () => { readonly nodeId: string; readonly port: number };
  /** Where this replica stands: `<epoch>.<seq>`. */
  readonly position: () => string;
  /** How many groups are on this node. */
  readonly groups: () => number;
  /** What is missing, by its part; empty when everything is there. */
  readonly missing: () => readonly FieldError[];
}

const LINKS = {
  groups: '/v1/groups',
  customers: '/customers',
  operations: '/operations/{id}',
  docs: '/docs',
  openapi: '/docs-json',
  live: '/health/live',
  ready: '/health/ready',
  metrics: '/metrics',
};

/** What this is, and how it does. */
export function serveAbout(server: FastifyInstance, { node, position, groups, missing }: AboutOptions): void {
  const version = packageVersion();
  server.get('/', (): z.infer<typeof nodeSchema> => ({ name: 'Bifolio replica', version, ...node(), links: LINKS }));
  const open = { config: { role: 'open', isUncounted: true } } as const;
  server.get('/health/live', open, (): z.infer<typeof liveSchema> => ({ status: 'ok', pid: process.pid }));
  server.get('/health/ready', { config: { isUncounted: true } }, (): z.infer<typeof readySchema> => {
    const fields = missing();
    if (fields.length > 0) {
      const detail = fields.map(({ field, message }) => `${field} ${message}`).join('; ');
      throw new AppError('not-ready', detail, { retry: 'safe', fields });
    }
    return {
      status: 'ok',
      details: {
        documents: { status: 'up', position: position() },
        groups: { status: 'up', count: groups() },
        primary: { status: 'up' },
      },
    };
  });
}
