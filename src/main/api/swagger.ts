import type { INestApplication } from '@nestjs/common';
import { type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { answerProblems, openApiDocument, serveDocumentation } from '../../platform/http/index.js';
import { packageVersion } from '../../platform/process/index.js';

/** Call the returned function with the application before listening. */
export async function serveApiDocumentation(
  server: FastifyInstance,
  logger: Logger,
): Promise<(app: INestApplication) => void> {
  let described: INestApplication | undefined;
  const document = (): object => {
    if (!described) throw new Error('the application has not been created yet');
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

function describeApi(app: INestApplication): object {
  const { paths } = SwaggerModule.createDocument(app, {} as Omit<OpenAPIObject, 'paths'>);
  const description = 'A bookstore backend that never half-commits: books in SQL, customers in replicated documents.';
  return openApiDocument({ title: 'Bifolio', description, version: packageVersion() }, paths as never);
}
