import { Injectable } from '@nestjs/common';
import { DocumentOperationLedger, DocumentStore } from '../../../../platform/documents/index.js';
import type { Answer } from '../../../../platform/http/index.js';
import { USERS } from '../../user-collection.js';
import { documentUserAnswer } from './user-answers.js';

/** The operations on users that the document store remembers. */
@Injectable()
export class DocumentUserOperationLedger extends DocumentOperationLedger<Answer> {
  constructor(documents: DocumentStore) {
    super(documents, USERS.name, documentUserAnswer);
  }
}
