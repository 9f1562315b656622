import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { packageVersion } from './package-version.js';

@ApiTags('about')
@Controller()
export class RootController {
  private readonly about = {
    name: 'Bifolio',
    description: 'A bookstore backend that never half-commits: books in SQL, customers in durable documents.',
    version: packageVersion(),
    links: {
      books: '/books',
      customers: '/customers',
      operations: '/operations/{id}',
      docs: '/docs',
      openapi: '/docs-json',
      live: '/health/live',
      ready: '/health/ready',
      metrics: '/metrics',
    },
  };

  @Get()
  @ApiOperation({ summary: 'What this is and where the rest is' })
  @ApiResponse({ status: 200, description: 'name, version and links' })
  read(): unknown {
    return this.about;
  }
}
