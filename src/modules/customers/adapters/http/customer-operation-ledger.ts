import { Injectable } from '@nestjs/common';
import { DocumentOperationLedger, DocumentStore } from '../../../../platform/documents/index.js';
import type { Answer } from '../../../../platform/http/index.js';
import { CUSTOMERS } from '../../customer-reads.js';
import { customerAnswer } from './customer-answers.js';

/** The operations on customers that the document store remembers. */
@Injectable()
export class CustomerOperationLedger extends DocumentOperationLedger<Answer> {
  constructor(documents: DocumentStore) {
    super(documents, CUSTOMERS.name, customerAnswer);
  }
}
