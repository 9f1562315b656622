import { AppError, isPlainKey, type OperationStamp } from '../../kernel/index.js';

export type Scalar = string | number | boolean | null;
export type Fields = Readonly<Record<string, Scalar>>;
/** A whole number from 1, or 1 to 64 of `A-Za-z0-9_-`; all ids of a collection are of one kind. */
export type DocumentId = number | string;
export type DocumentView = Readonly<Record<string, Scalar>> & { readonly id: DocumentId };

export interface CollectionDeclaration {
  readonly name: string;
  /** Shown in every document of the collection; `bump` changes it for all at once. Absent: no counter. */
  readonly counterField?: string;
  /** Text chosen at creation, ordered by code units. Absent: whole numbers. */
  readonly ids?: 'text';
}

export type DocumentShape = Omit<CollectionDeclaration, 'name'>;

export type DocumentOp =
  | {
      readonly type: 'epoch-started';
      readonly clusterId: string;
      readonly primaryId: string;
      /** The rule for forgetting operations from this record on; absent: unchanged. */
      readonly retention?: OperationRetention;
    }
  | {
      readonly type: 'put';
      readonly collection: string;
      readonly id: DocumentId;
      readonly fields: Fields;
      readonly operation: OperationStamp;
    }
  | {
      readonly type: 'delete';
      readonly collection: string;
      readonly id: DocumentId;
      readonly operation: OperationStamp;
    }
  | {
      readonly type: 'prepare';
      readonly transaction: string;
      readonly kind: string;
      readonly decidedBy: string;
      readonly life: number;
      readonly changes: readonly PreparedChange[];
    }
  | { readonly type: 'commit'; readonly transaction: string }
  | { readonly type: 'abort'; readonly transaction: string };

/**
 * Rule 1, the default, keeps 100,000 operations with a key and 1,000 without. Rule 2 keeps all operations with a key for their
 * retention time. All copies of a history switch at the same record.
 */
export type OperationRetention = 1 | 2;

/** A change that a transaction makes when it commits, at the log position of its commit record. */
export type PreparedChange =
  /** Reserves nothing, so any number can be prepared at once. */
  | { readonly type: 'bump'; readonly collection: string }
  /** Reserves the id from the prepare record to the decision. */
  | { readonly type: 'create'; readonly collection: string; readonly id: DocumentId; readonly fields: Fields };

/** The result of a finished write. `document` is absent after a delete. */
export interface DocumentOutcome {
  readonly change: 'created' | 'replaced' | 'deleted';
  readonly collection: string;
  readonly document?: DocumentView;
}

/** A durable write. `commit` is its log position, `<epoch>.<seq>`. */
export interface DocumentWritten {
  readonly outcome: DocumentOutcome;
  readonly commit: string;
}

/** Some Node versions misread names that JSON escapes in records and snapshots. Throws `validation-failed` naming the field. */
export function assertPlainNames(fields: Fields): void {
  const field = Object.keys(fields).find((name) => !isPlainKey(name));
  if (field === undefined) return;
  const message = 'must have a name without quotes, backslashes and control characters';
  const detail = `the field ${JSON.stringify(field)} ${message}`;
  throw new AppError('validation-failed', detail, { retry: 'never', fields: [{ field, message }] });
}
