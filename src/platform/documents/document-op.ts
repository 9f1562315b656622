import type { OperationStamp } from '../../kernel/index.js';

export type Scalar = string | number | boolean | null;
export type Fields = Readonly<Record<string, Scalar>>;
export type DocumentId = number;
export type ShownDocument = Readonly<Record<string, Scalar>> & { readonly id: number };

/** `counterField` is shown in every document of the collection and moves for all of them at once (`bump`). */
export interface CollectionDeclaration {
  readonly name: string;
  readonly counterField: string;
}

export type DocumentOp =
  | { readonly type: 'epoch-started'; readonly clusterId: string; readonly primaryId: string }
  | {
      readonly type: 'put';
      readonly collection: string;
      readonly id: number;
      readonly fields: Fields;
      readonly operation: OperationStamp;
    }
  | { readonly type: 'delete'; readonly collection: string; readonly id: number; readonly operation: OperationStamp }
  | { readonly type: 'bump'; readonly collection: string }
  | {
      readonly type: 'prepare';
      readonly transaction: string;
      readonly kind: string;
      readonly decidedBy: string;
      readonly era: number;
      readonly changes: readonly PreparedChange[];
    }
  | { readonly type: 'commit'; readonly transaction: string }
  | { readonly type: 'abort'; readonly transaction: string };

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
  readonly document?: ShownDocument;
}
