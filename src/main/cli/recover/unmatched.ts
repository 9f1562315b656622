import type { DocumentOp } from '../../../platform/documents/index.js';

/**
 * The transaction over more than one store that a record is part of, whose other part only SQL can tell; undefined for
 * one that stands for itself. Every kind of record has its place here: a new one does not compile without.
 */
export function transactionOf(op: DocumentOp): string | undefined {
  switch (op.type) {
    case 'epoch-started':
    case 'put':
    case 'delete':
    case 'bump':
      return undefined;
    case 'prepare':
    case 'commit':
    case 'abort':
      return op.transaction;
  }
}
