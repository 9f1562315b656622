import { Injectable } from '@nestjs/common';
import { DocumentOperationLedger, DocumentStore } from '../../platform/documents/index.js';
import { CUSTOMERS } from './customer-reads.js';
import { answerOf } from './customer.service.js';

/** The operations on customers that the document store remembers. */
@Injectable()
export class CustomerOperationLedger extends DocumentOperationLedger {
  constructor(documents: DocumentStore) {
    super(documents, CUSTOMERS.name, answerOf);
  }
}
