import { Injectable } from '@nestjs/common';
import { AppError } from '../../kernel/index.js';
import type { Preconditions } from '../../platform/http/index.js';
import { type RecordedAnswer, type Recording, SqlDatabase, SqlOperationLedger } from '../../platform/sql/index.js';
import { userExists } from './user-exists.js';
import { UserIds } from './user-ids.js';
import { UserRepository } from './user.repository.js';
import type { User, UserChange, UserInput } from './user.schemas.js';

export interface SqlUserOutcome {
  readonly change: 'created' | 'replaced';
  readonly user: User;
}

@Injectable()
export class SqlUserService {
  constructor(
    private readonly database: SqlDatabase,
    private readonly users: UserRepository,
    private readonly operations: SqlOperationLedger,
    private readonly ids: UserIds,
  ) {}

  create({ firstname, lastname }: UserInput, recording: Recording<SqlUserOutcome>): Promise<RecordedAnswer> {
    return this.ids.allot((id) =>
      this.database.writer.run((scope) => {
        const user = { id, firstname, lastname };
        if (!this.users.insertAllotted(scope, user)) throw userExists(id);
        return this.operations.record(recording, { change: 'created', user });
      }),
    );
  }

  /** Keeps absent fields. Rejects with `not-found` or `precondition-failed`. */
  change(
    id: number,
    { firstname, lastname }: UserChange,
    conditions: Preconditions,
    recording: Recording<SqlUserOutcome>,
  ): Promise<RecordedAnswer> {
    return this.database.writer.run((scope) => {
      const current = this.users.findWithinWrite(id);
      if (current === undefined) throw notFound(id);
      const refused = conditions.refusal(`user ${String(id)}`, userOf(current));
      if (refused) throw refused;
      const user = { id, firstname: firstname ?? current.firstname, lastname: lastname ?? current.lastname };
      this.users.update(scope, user);
      return this.operations.record(recording, { change: 'replaced', user });
    });
  }

  /** Throws `not-found`. */
  find(id: number): User {
    const user = this.users.find(id);
    if (user === undefined) throw notFound(id);
    return userOf(user);
  }
}

/** Drops all other columns of a row. */
function userOf({ id, firstname, lastname }: User): User {
  return { id, firstname, lastname };
}

function notFound(id: number): AppError {
  return new AppError('not-found', `SQL user ${String(id)} does not exist`, { retry: 'never' });
}
