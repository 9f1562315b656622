import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Describe, rootOperation } from '../../platform/http/index.js';
import { packageVersion } from '../../platform/process/index.js';

const aboutSchema = z
  .object({
    name: z.string().meta({ example: 'Bifolio' }),
    description: z.string().meta({ example: 'A bookstore backend that never half-commits.' }),
    version: z.string().meta({ example: '0.1.0' }),
    links: z.record(z.string(), z.string()).meta({ example: { books: '/books', docs: '/docs' } }),
  })
  .meta({ id: 'About' });

@ApiTags('about')
@Controller()
export class RootController {
  private readonly about = {
    name: 'Bifolio',
    description: 'A bookstore backend that never half-commits: books in SQL, customers in replicated documents.',
    version: packageVersion(),
    links: {
      books: '/books',
      customers: '/customers',
      transactions: '/transactions',
      ids: '/ids/create',
      operations: '/operations/{id}',
      replication: '/replication/status',
      docs: '/docs',
      openapi: '/docs-json',
      live: '/health/live',
      echo: '/health/echo',
      ready: '/health/ready',
      metrics: '/metrics',
    },
  };

  @Get()
  @Describe(rootOperation(aboutSchema))
  read(): z.infer<typeof aboutSchema> {
    return this.about;
  }
}
