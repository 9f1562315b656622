import { Injectable } from '@nestjs/common';
import type { WriteConcern } from '../../platform/http/index.js';
import { type Recording, SqlOperationLedger } from '../../platform/sql/index.js';
import {
  branch,
  DocumentParticipant,
  type SqlWork,
  TransactionCoordinator,
  type TransactionId,
  type TransactionOutcome,
} from '../../protocols/two-phase-commit/index.js';
import type { Decided } from '../transactions/index.js';
import { USERS } from './user-collection.js';
import { userExists } from './user-exists.js';
import { UserIds } from './user-ids.js';
import { UserRepository } from './user.repository.js';
import type { User, UserInBothInput } from './user.schemas.js';

const USERS_2PC = 'users-2pc';

export interface DecidedUser extends User {
  readonly transactionId: TransactionId;
}

/** Creates a user in SQL and among the documents, under one id: in both or in neither. */
@Injectable()
export class User2pcService {
  constructor(
    private readonly coordinator: TransactionCoordinator<SqlWork>,
    private readonly documents: DocumentParticipant,
    private readonly users: UserRepository,
    private readonly operations: SqlOperationLedger,
    private readonly ids: UserIds,
  ) {}

  /** Rejects, nothing written, with `conflict` when a store has the id that `input` names, and when a store cannot take part. */
  create(
    { id, firstname, lastname }: UserInBothInput,
    recording: Recording<DecidedUser>,
    concern: WriteConcern | undefined,
  ): Promise<TransactionOutcome<Decided>> {
    const isAllotted = id === undefined;
    const attempt = async (user: User): Promise<TransactionOutcome<Decided>> => {
      // An early check, before anything is promised. Both stores check again.
      if (this.users.find(user.id) !== undefined) throw userExists(user.id);
      const fields = { firstname, lastname };
      return this.coordinator.execute<Decided>({
        kind: USERS_2PC,
        operationId: recording.operation.id,
        branches: [
          branch(this.documents, {
            changes: [{ type: 'create', collection: USERS.name, id: String(user.id), fields }],
            ...(concern !== undefined && { concern }),
          }),
        ],
        decide: (scope, { id: transactionId, positions }): Decided => {
          const isNew = isAllotted ? this.users.insertAllotted(scope, user) : this.users.insert(scope, user);
          if (!isNew) throw userExists(user.id);
          const answer = this.operations.record(recording, { ...user, transactionId });
          return { answer, promisedAt: positions[this.documents.name] };
        },
      });
    };
    if (!isAllotted) return attempt({ id, firstname, lastname });
    return this.ids.allot((allotted) => attempt({ id: allotted, firstname, lastname }));
  }
}
