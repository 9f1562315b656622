import { Injectable } from '@nestjs/common';
import { DocumentOperationLedger, DocumentStore } from '../../platform/documents/index.js';
import { answerOf } from './document-user.service.js';
import { USERS } from './user-collection.js';

/** The operations on users that the document store remembers. */
@Injectable()
export class DocumentUserOperationLedger extends DocumentOperationLedger {
  constructor(documents: DocumentStore) {
    super(documents, USERS.name, answerOf);
  }
}
