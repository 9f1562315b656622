import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { notServed } from './routes.js';

export interface Documentation {
  readonly title: string;
  /** The OpenAPI document, requested once, when the first reader comes. */
  readonly document: () => object;
}

const TYPES = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
} as const;

const pageOf = (title: string): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>${title}</title>
    <link rel="stylesheet" href="./docs/swagger-ui.css">
    <link rel="icon" type="image/png" href="./docs/favicon-32x32.png">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="./docs/swagger-ui-bundle.js"></script>
    <script src="./docs/start.js"></script>
  </body>
</html>
`;

/** Without `validatorUrl: null`, the page would show the verdict of an external site on the document. */
const START = `window.ui = SwaggerUIBundle({
  url: './docs-json',
  dom_id: '#swagger-ui',
  validatorUrl: null,
  displayRequestDuration: true,
  tryItOutEnabled: true,
});
`;

/**
 * The page may load its own files and the pictures inside its style sheet. Headers that only make sense over HTTPS are left out:
 * over HTTP from another machine they cause a blank page or browser warnings.
 */
const PAGE_HEADERS = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      'default-src': ["'none'"],
      'script-src': ["'self'"],
      'style-src': ["'self'"],
      'img-src': ["'self'", 'data:'],
      'connect-src': ["'self'"],
      'base-uri': ["'none'"],
      'form-action': ["'none'"],
      'frame-ancestors': ["'none'"],
    },
  },
  strictTransportSecurity: false,
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
} as const;

const OPEN = { config: { permission: 'open' } } as const;

/**
 * Swagger UI at /docs and the OpenAPI document at /docs-json, open to everyone: a browser cannot send a key when it opens a page,
 * and the page asks for one. Nothing is read or built before the first request.
 */
export async function serveDocumentation(server: FastifyInstance, { title, document }: Documentation): Promise<void> {
  const { default: helmet } = await import('@fastify/helmet');
  await server.register(async (context) => {
    await context.register(helmet, PAGE_HEADERS);
    let text: string | undefined;
    context.get('/docs-json', OPEN, (_request, reply) => {
      text ??= JSON.stringify(document());
      return reply.header('content-type', 'application/json; charset=utf-8').send(text);
    });
    const page = pageOf(title);
    context.get('/docs', OPEN, (_request, reply) =>
      reply.header('content-type', 'text/html; charset=utf-8').send(page),
    );
    context.get('/docs/start.js', OPEN, (_request, reply) =>
      reply.header('content-type', 'text/javascript; charset=utf-8').send(START),
    );
    for (const [name, type] of Object.entries(TYPES)) {
      context.get(`/docs/${name}`, OPEN, (_request, reply) =>
        reply.header('content-type', type).send(createReadStream(join(swaggerUi(), name))),
      );
    }
    context.get('/docs/*', OPEN, (request, reply) => {
      throw notServed(request, reply);
    });
  });
}

function swaggerUi(): string {
  return dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
}
