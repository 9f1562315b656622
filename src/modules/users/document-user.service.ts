import { Injectable } from '@nestjs/common';
import { AppError, type OperationStamp } from '../../kernel/index.js';
import {
  DocumentStore,
  type DocumentView,
  type DocumentWrite,
  type DocumentWritten,
  reservedDocument,
} from '../../platform/documents/index.js';
import type { Preconditions } from '../../platform/http/index.js';
import { USERS } from './user-collection.js';
import { userExists } from './user-exists.js';
import type { UserInput } from './user.schemas.js';

/** Users among the documents, under ids that clients choose. */
@Injectable()
export class DocumentUserService {
  constructor(private readonly documents: DocumentStore) {}

  /** Rejects with `conflict` when the user exists, or with `precondition-failed`. */
  async create(
    id: string,
    { firstname, lastname }: UserInput,
    conditions: Preconditions,
    operation: OperationStamp,
  ): Promise<DocumentWritten> {
    this.assertMet(id, conditions);
    const write = await this.documents.createAt(USERS.name, id, { firstname, lastname }, operation);
    if (!write.done && write.refusal === 'exists') this.assertMet(id, conditions);
    return written(write, id);
  }

  /** Rejects with `not-found`, `precondition-failed` or `conflict`. */
  async replace(
    id: string,
    { firstname, lastname }: UserInput,
    conditions: Preconditions,
    operation: OperationStamp,
  ): Promise<DocumentWritten> {
    let refused: AppError | undefined;
    const isMet = (current: DocumentView): boolean => {
      refused = conditions.refusal(nameOf(id), current);
      return refused === undefined;
    };
    const write = await this.documents.replace(USERS.name, id, { firstname, lastname }, operation, isMet);
    return written(write, id, refused);
  }

  /** Throws `not-found`. */
  find(id: string): DocumentView {
    const user = this.documents.find(USERS.name, id);
    if (user === undefined) throw notFound(id);
    return user;
  }

  private assertMet(id: string, conditions: Preconditions): void {
    if (conditions.areNone) return;
    const refused = conditions.refusal(nameOf(id), this.documents.find(USERS.name, id));
    if (refused) throw refused;
  }
}

/** `refused` says why the precondition was not met. */
function written(write: DocumentWrite, id: string, refused?: AppError): DocumentWritten {
  if (write.done) return write;
  switch (write.refusal) {
    case 'not-found':
      throw notFound(id);
    case 'exists':
      throw userExists(id);
    case 'reserved':
      throw reservedDocument(nameOf(id));
    case 'precondition-failed':
      throw refused ?? new Error('a precondition says why it is not met');
  }
}

function nameOf(id: string): string {
  return `user ${id}`;
}

function notFound(id: string): AppError {
  return new AppError('not-found', `document user ${id} does not exist`, { retry: 'never' });
}
