import { Injectable } from '@nestjs/common';
import { type Answer, AppError, type OperationStamp, placeText } from '../../kernel/index.js';
import {
  type DocumentOutcome,
  DocumentStore,
  type DocumentWrite,
  reservedDocument,
  type ShownDocument,
} from '../../platform/documents/index.js';
import { etagOf, ifMatchHolds, otherVersion } from '../../platform/http/index.js';
import { USERS } from './user-collection.js';
import { userExists } from './user-exists.js';
import type { UserInput } from './user.schemas.js';

/** Users among the documents, under ids that their clients choose. */
@Injectable()
export class DocumentUserService {
  constructor(private readonly documents: DocumentStore) {}

  /** Rejects with `conflict` when there is one. */
  async create(id: string, { firstname, lastname }: UserInput, operation: OperationStamp): Promise<Answer> {
    return written(await this.documents.createAt(USERS.name, id, { firstname, lastname }, operation), id);
  }

  /** Rejects with `not-found`, `precondition-failed` or `conflict`. */
  async replace(
    id: string,
    { firstname, lastname }: UserInput,
    ifMatch: string | undefined,
    operation: OperationStamp,
  ): Promise<Answer> {
    const precondition = (current: ShownDocument): boolean => ifMatchHolds(ifMatch, shownUser(current).etag);
    return written(await this.documents.replace(USERS.name, id, { firstname, lastname }, operation, precondition), id);
  }

  /** Throws `not-found`. */
  find(id: string): { readonly body: string; readonly etag: string } {
    const user = this.documents.find(USERS.name, id);
    if (user === undefined) throw notFound(id);
    return shownUser(user);
  }
}

/** How a finished write on a user is answered, the first time and at every replay. */
export function answerOf({ change, document }: DocumentOutcome, commit: string): Answer {
  if (document === undefined) throw new Error('users are not deleted');
  const { body, etag } = shownUser(document);
  const headers = { 'x-commit': commit, etag };
  if (change === 'replaced') return { status: 200, headers, body };
  return { status: 201, headers: { ...headers, location: `/nosql/users/${String(document.id)}` }, body };
}

function written(write: DocumentWrite, id: string): Answer {
  if (write.done) return answerOf(write.outcome, placeText(write.commit));
  switch (write.refusal) {
    case 'not-found':
      throw notFound(id);
    case 'exists':
      throw userExists(id);
    case 'reserved':
      throw reservedDocument(`user ${id}`);
    case 'precondition-failed':
      throw otherVersion(`user ${id}`);
  }
}

function shownUser(user: ShownDocument): { readonly body: string; readonly etag: string } {
  const body = JSON.stringify(user);
  return { body, etag: etagOf(body) };
}

function notFound(id: string): AppError {
  return new AppError('not-found', `there is no user ${id} among the documents`, { retry: 'never' });
}
