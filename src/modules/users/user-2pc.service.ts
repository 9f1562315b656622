import { Injectable } from '@nestjs/common';
import { type Answer, type OperationStamp, placedAnswer } from '../../kernel/index.js';
import type { WriteConcern } from '../../platform/http/index.js';
import { SqlOperationLedger } from '../../platform/sql/index.js';
import {
  branch,
  DocumentParticipant,
  type Acknowledgement,
  type SqlWork,
  TransactionCoordinator,
  type TransactionOutcome,
} from '../../protocols/two-phase-commit/index.js';
import { type DecidedUser, recordedAnswer } from './user-2pc-answer.js';
import { USERS } from './user-collection.js';
import { userExists } from './user-exists.js';
import { UserIds } from './user-ids.js';
import { UserRepository } from './user.repository.js';
import type { User, UserInBothInput } from './user.schemas.js';

/** In transactions. */
const USERS_2PC = 'users-2pc';

/** As decided, and where the documents' promise stands, which is what replicas were waited for. */
export interface CommittedUser extends DecidedUser {
  readonly promisedAt: string | undefined;
}

/** A user in SQL and among the documents, under one id: in both or in neither. */
@Injectable()
export class User2pcService {
  constructor(
    private readonly coordinator: TransactionCoordinator<SqlWork>,
    private readonly documents: DocumentParticipant,
    private readonly users: UserRepository,
    private readonly operations: SqlOperationLedger,
    private readonly ids: UserIds,
  ) {}

  /**
   * Rejects, nothing written in either store, with `conflict` when one of them has the id that `input` names, and when
   * one of them cannot take part.
   */
  create(
    { id, firstname, lastname }: UserInBothInput,
    operation: OperationStamp,
    concern: WriteConcern | undefined,
  ): Promise<TransactionOutcome<CommittedUser>> {
    const { users } = this;
    if (id !== undefined) {
      return this.execute({ id, firstname, lastname }, operation, concern, users.insert.bind(users));
    }
    const insert = users.insertAllotted.bind(users);
    return this.ids.allot((allotted) =>
      this.execute({ id: allotted, firstname, lastname }, operation, concern, insert),
    );
  }

  answerOf({ promisedAt, ...decided }: CommittedUser, receipts: Readonly<Record<string, Acknowledgement>>): Answer {
    return placedAnswer(recordedAnswer(decided), receipts[this.documents.name]?.place, promisedAt);
  }

  private async execute(
    user: User,
    operation: OperationStamp,
    concern: WriteConcern | undefined,
    insert: UserRepository['insert'],
  ): Promise<TransactionOutcome<CommittedUser>> {
    // Asked before anything is promised, as far as it is known by now. Both stores ask again.
    if (this.users.find(user.id) !== undefined) throw userExists(user.id);
    const { firstname, lastname } = user;
    return this.coordinator.execute<CommittedUser>({
      kind: USERS_2PC,
      operationId: operation.id,
      branches: [
        branch(this.documents, {
          changes: [{ type: 'create', collection: USERS.name, id: String(user.id), fields: { firstname, lastname } }],
          ...(concern !== undefined && { concern }),
        }),
      ],
      decide: (scope, { id: transactionId, places }): CommittedUser => {
        if (!insert(scope, user)) throw userExists(user.id);
        const decided = { ...user, transactionId };
        this.operations.record(operation, recordedAnswer(decided));
        return { ...decided, promisedAt: places[this.documents.name] };
      },
    });
  }
}
