import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { problemJsonSchema } from '../../platform/http/index.js';
import { packageVersion } from '../../platform/process/index.js';

/** Swagger UI at /docs and OpenAPI at /docs-json; the document is made when it is first asked for. */
export function serveApiDocumentation(app: NestFastifyApplication): void {
  SwaggerModule.setup('docs', app, () => describeApi(app), {
    jsonDocumentUrl: 'docs-json',
    raw: ['json'],
    customSiteTitle: 'Bifolio API',
    swaggerOptions: { displayRequestDuration: true, tryItOutEnabled: true },
  });
}

function describeApi(app: NestFastifyApplication): OpenAPIObject {
  const base = new DocumentBuilder()
    .setTitle('Bifolio')
    .setDescription('A bookstore backend that never half-commits: books in SQL, customers in replicated documents.')
    .setVersion(packageVersion())
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/')
    .addApiKey({ type: 'apiKey', in: 'header', name: 'X-Api-Key' }, 'apiKey')
    .addBearerAuth({ type: 'http', scheme: 'bearer' })
    .addSecurityRequirements({})
    .addSecurityRequirements('apiKey')
    .addSecurityRequirements('bearer')
    .build();
  const document = SwaggerModule.createDocument(app, base);
  document.components = { ...document.components };
  document.components.schemas = { ...document.components.schemas, Problem: problemJsonSchema() };
  return document;
}
