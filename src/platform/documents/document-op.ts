import { AppError, isPlainKey, type OperationStamp } from '../../kernel/index.js';

export type Scalar = string | number | boolean | null;
export type Fields = Readonly<Record<string, Scalar>>;
/** A whole number from 1, or 1 to 64 of `A-Za-z0-9_-`: one collection has ids of one kind. */
export type DocumentId = number | string;
export type DocumentView = Readonly<Record<string, Scalar>> & { readonly id: DocumentId };

export interface CollectionDeclaration {
  readonly name: string;
  /** Shown in every document of the collection, and moves for all of them at once (`bump`). Absent: none is shown. */
  readonly counterField?: string;
  /** Text, in the order of its code units, that whoever creates a document chooses. Absent: whole numbers. */
  readonly ids?: 'text';
}

/** What decides how the documents of a collection are kept. */
export type DocumentShape = Omit<CollectionDeclaration, 'name'>;

export type DocumentOp =
  | {
      readonly type: 'epoch-started';
      readonly clusterId: string;
      readonly primaryId: string;
      /** The rule by which operations are forgotten from here on; absent: it stays as it is. */
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
 * 1, until another is named: 100,000 operations with a key and 1,000 without are known. 2: those with a key for their
 * time, however many there are. Copies of one history change from one to the other at the same record.
 */
export type OperationRetention = 1 | 2;

/** What a transaction does when it is committed, at the place of its commit record. */
export type PreparedChange =
  /** Reserves nothing: any number of them can be prepared at once. */
  | { readonly type: 'bump'; readonly collection: string }
  /** Nobody else may write under this id from the prepare record to the decision. */
  | { readonly type: 'create'; readonly collection: string; readonly id: DocumentId; readonly fields: Fields };

/** What a finished write on documents answered with. `document` is absent after a delete. */
export interface DocumentOutcome {
  readonly change: 'created' | 'replaced' | 'deleted';
  readonly collection: string;
  readonly document?: DocumentView;
}

/** A write that is durable. `commit`: its log position, `<epoch>.<seq>`. */
export interface DocumentWritten {
  readonly outcome: DocumentOutcome;
  readonly commit: string;
}

/**
 * A record and a snapshot have the fields of a document as members of a JSON object, and not every Node reads a name
 * back that JSON writes with an escape; so have they its collection and its counter. Throws `validation-failed` naming the field.
 */
export function assertPlainNames(fields: Fields): void {
  const field = Object.keys(fields).find((name) => !isPlainKey(name));
  if (field === undefined) return;
  const message = 'has a name with a quote, a backslash or a control character';
  const detail = `the field ${JSON.stringify(field)} ${message}`;
  throw new AppError('validation-failed', detail, { retry: 'never', fields: [{ field, message }] });
}
