import { Injectable } from '@nestjs/common';
import { type Answer, AppError, type OperationStamp } from '../../kernel/index.js';
import { etagOf, type Preconditions } from '../../platform/http/index.js';
import { SqlDatabase, SqlOperationLedger, type SqlWriteScope } from '../../platform/sql/index.js';
import { userExists } from './user-exists.js';
import { UserIds } from './user-ids.js';
import { UserRepository } from './user.repository.js';
import type { User, UserChange, UserInput } from './user.schemas.js';

@Injectable()
export class SqlUserService {
  constructor(
    private readonly database: SqlDatabase,
    private readonly users: UserRepository,
    private readonly operations: SqlOperationLedger,
    private readonly ids: UserIds,
  ) {}

  create(input: UserInput, operation: OperationStamp): Promise<Answer> {
    return this.ids.allot((id) =>
      this.write(operation, (scope) => {
        const user = { id, ...input };
        if (!this.users.insertAllotted(scope, user)) throw userExists(id);
        return shown(201, user, { location: pathOf(id) });
      }),
    );
  }

  /** A field that is absent stays. Rejects with `not-found` or `precondition-failed`. */
  change(id: number, change: UserChange, conditions: Preconditions, operation: OperationStamp): Promise<Answer> {
    return this.write(operation, (scope) => {
      const current = this.users.findWithinWrite(id);
      if (current === undefined) throw notFound(id);
      const refused = conditions.refusal(`user ${String(id)}`, userView(current).etag);
      if (refused) throw refused;
      const user = {
        id,
        firstname: change.firstname ?? current.firstname,
        lastname: change.lastname ?? current.lastname,
      };
      this.users.update(scope, user);
      return shown(200, user, {});
    });
  }

  /** Only inside work of the write executor: no id up to this one is allotted from now on. */
  passOverIdsWithin(_scope: SqlWriteScope, id: number): void {
    this.users.passOver(id);
  }

  /** Throws `not-found`. */
  find(id: number): { readonly body: string; readonly etag: string } {
    const user = this.users.find(id);
    if (user === undefined) throw notFound(id);
    return userView(user);
  }

  private write(operation: OperationStamp, work: (scope: SqlWriteScope) => Answer): Promise<Answer> {
    return this.database.writer.run((scope) => {
      const answer = work(scope);
      this.operations.record(operation, answer);
      return answer;
    });
  }
}

/** Of a user in SQL. */
export function pathOf(id: number): string {
  return `/sql/users/${String(id)}`;
}

function userView({ id, firstname, lastname }: User): { readonly body: string; readonly etag: string } {
  const body = JSON.stringify({ id, firstname, lastname });
  return { body, etag: etagOf(body) };
}

function shown(status: number, user: User, headers: Record<string, string>): Answer {
  const { body, etag } = userView(user);
  return { status, headers: { ...headers, etag }, body };
}

function notFound(id: number): AppError {
  return new AppError('not-found', `there is no user ${String(id)} in SQL`, { retry: 'never' });
}
