import { Injectable } from '@nestjs/common';
import { type Answer, AppError, type OperationStamp, logPositionText } from '../../kernel/index.js';
import {
  type DocumentOutcome,
  DocumentStore,
  type DocumentWrite,
  reservedDocument,
  type DocumentView,
} from '../../platform/documents/index.js';
import { etagOf, type Preconditions } from '../../platform/http/index.js';
import { USERS } from './user-collection.js';
import { userExists } from './user-exists.js';
import type { UserInput } from './user.schemas.js';

/** Users among the documents, under ids that their clients choose. */
@Injectable()
export class DocumentUserService {
  constructor(private readonly documents: DocumentStore) {}

  /** Rejects with `conflict` when there is one, or with `precondition-failed`. */
  async create(
    id: string,
    { firstname, lastname }: UserInput,
    conditions: Preconditions,
    operation: OperationStamp,
  ): Promise<Answer> {
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
  ): Promise<Answer> {
    let refused: AppError | undefined;
    const isMet = (current: DocumentView): boolean => {
      refused = conditions.refusal(nameOf(id), userView(current).etag);
      return refused === undefined;
    };
    const write = await this.documents.replace(USERS.name, id, { firstname, lastname }, operation, isMet);
    return written(write, id, refused);
  }

  /** Throws `not-found`. */
  find(id: string): { readonly body: string; readonly etag: string } {
    const user = this.documents.find(USERS.name, id);
    if (user === undefined) throw notFound(id);
    return userView(user);
  }

  private assertMet(id: string, conditions: Preconditions): void {
    if (conditions.areNone) return;
    const user = this.documents.find(USERS.name, id);
    const refused = conditions.refusal(nameOf(id), user && userView(user).etag);
    if (refused) throw refused;
  }
}

/** How a finished write on a user is answered, the first time and at every replay. */
export function answerOf({ change, document }: DocumentOutcome, commit: string): Answer {
  if (document === undefined) throw new Error('users are not deleted');
  const { body, etag } = userView(document);
  const headers = { 'x-commit': commit, etag };
  if (change === 'replaced') return { status: 200, headers, body };
  return { status: 201, headers: { ...headers, location: `/nosql/users/${String(document.id)}` }, body };
}

/** `refused`: why its precondition was not met. */
function written(write: DocumentWrite, id: string, refused?: AppError): Answer {
  if (write.done) return answerOf(write.outcome, logPositionText(write.commit));
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

function userView(user: DocumentView): { readonly body: string; readonly etag: string } {
  const body = JSON.stringify(user);
  return { body, etag: etagOf(body) };
}

function notFound(id: string): AppError {
  return new AppError('not-found', `there is no user ${id} among the documents`, { retry: 'never' });
}
