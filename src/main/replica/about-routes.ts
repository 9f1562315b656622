import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { AppError, type FieldError } from '../../kernel/index.js';
import { type Ready, serveEcho, serveLive } from '../../platform/http/index.js';
import { packageVersion } from '../../platform/process/index.js';

export const nodeSchema = z
  .object({
    name: z.string().meta({ example: 'Bifolio replica' }),
    version: z.string().meta({ example: '0.1.0' }),
    port: z.int().min(1).max(65_535).meta({ example: 5071 }),
    nodeId: z.string().meta({ example: '127.0.0.1:5071' }),
    links: z.record(z.string(), z.string()).meta({ example: { customers: '/customers', docs: '/docs' } }),
  })
  .meta({ id: 'Node' });

export interface AboutOptions {
  /** `host:port`, as the primary calls this replica. */
  readonly node: () => { readonly nodeId: string; readonly port: number };
  /** The log position of this replica: `<epoch>.<seq>`. */
  readonly position: () => string;
  readonly groups: () => number;
  /** The missing data, by part; empty when everything is there. */
  readonly missing: () => readonly FieldError[];
}

const LINKS = {
  groups: '/v1/groups',
  customers: '/customers',
  operations: '/operations/{id}',
  docs: '/docs',
  openapi: '/docs-json',
  live: '/health/live',
  echo: '/health/echo',
  ready: '/health/ready',
  metrics: '/metrics',
};

export function serveAbout(server: FastifyInstance, { node, position, groups, missing }: AboutOptions): void {
  const version = packageVersion();
  server.get('/', (): z.infer<typeof nodeSchema> => ({ name: 'Bifolio replica', version, ...node(), links: LINKS }));
  serveLive(server);
  serveEcho(server, () => ({ role: 'replica', state: 'open', epoch: null }));
  server.get('/health/ready', { config: { isUncounted: true } }, (): Ready => {
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
