import { describe, expect, it } from '@jest/globals';
import type { FastifyRequest } from 'fastify';
import type { DocumentStore, DocumentWrite } from '../../platform/documents/index.js';
import { Preconditions } from '../../platform/http/index.js';
import { CustomerService } from './customer.service.js';

const NO_CONDITIONS = Preconditions.of({ headers: {} } as FastifyRequest);

describe('CustomerService', () => {
  it('given a customer that a transaction holds, refuses as a temporary conflict with a time to retry', async () => {
    const refused: DocumentWrite = { done: false, refusal: 'reserved' };
    const documents = { replace: () => Promise.resolve(refused), delete: () => Promise.resolve(refused) };
    const service = new CustomerService(documents as Partial<DocumentStore> as DocumentStore);
    const writes = [
      service.replace(1, { name: 'Ada', email: 'a@x.org' }, NO_CONDITIONS, { id: 'o1' }),
      service.delete(1, NO_CONDITIONS, { id: 'o2' }),
    ];

    for (const write of writes) {
      await expect(write).rejects.toMatchObject({ code: 'conflict', retry: 'safe', retryAfterSeconds: 1 });
    }
  });
});
