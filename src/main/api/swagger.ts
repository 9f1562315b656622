import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { answerProblems, problemJsonSchema, serveDocumentation } from '../../platform/http/index.js';
import { packageVersion } from '../../platform/process/index.js';

/** Resolves with a function to be given the application once it exists; it must be called before listening. */
export async function serveApiDocumentation(
  server: FastifyInstance,
  logger: Logger,
): Promise<(app: INestApplication) => void> {
  let described: INestApplication | undefined;
  const document = (): OpenAPIObject => {
    if (!described) throw new Error('the application is not there yet');
    return describeApi(described);
  };
  await server.register(async (context) => {
    answerProblems(context, logger);
    await serveDocumentation(context, { title: 'Bifolio API', document });
  });
  return (app) => {
    described = app;
  };
}

/** Read off the controllers. */
function describeApi(app: INestApplication): OpenAPIObject {
  const base = new DocumentBuilder()
    .setTitle('Bifolio')
    .setDescription('A bookstore backend that never half-commits: books in SQL, customers in replicated documents.')
    .setVersion(packageVersion())
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/')
    .addApiKey({ type: 'apiKey', in: 'header', name: 'X-Api-Key' }, 'apiKey')
    .addSecurityRequirements({})
    .addSecurityRequirements('apiKey')
    .addSecurityRequirements('bearer')
    .build();
  const document = SwaggerModule.createDocument(app, base);
  document.components = { ...document.components };
  // As it is: addBearerAuth would say that it is a JWT.
  document.components.securitySchemes = {
    ...document.components.securitySchemes,
    bearer: { type: 'http', scheme: 'bearer' },
  };
  document.components.schemas = { ...document.components.schemas, Problem: problemJsonSchema() };
  return document;
}
