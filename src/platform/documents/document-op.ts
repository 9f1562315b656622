import type { OperationStamp } from '../../kernel/index.js';

export type Scalar = string | number | boolean | null;
export type Fields = Readonly<Record<string, Scalar>>;
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
  | { readonly type: 'bump'; readonly collection: string };

/** What a finished write on documents answered with. `document` is absent after a delete. */
export interface DocumentOutcome {
  readonly change: 'created' | 'replaced' | 'deleted';
  readonly collection: string;
  readonly document?: ShownDocument;
}
