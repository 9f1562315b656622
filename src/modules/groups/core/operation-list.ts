import { compareOperations, counts, type KnownOperation } from './known-operation.js';

type ListOrder = Pick<KnownOperation, 'version' | 'id'>;

/** The operations on one group, or the clears. */
export class OperationList {
  /** Lowest first; usually one or a few. */
  private readonly operations: KnownOperation[] = [];

  get isEmpty(): boolean {
    return this.operations.length === 0;
  }

  all(): readonly KnownOperation[] {
    return this.operations;
  }

  add(operation: KnownOperation): void {
    const place = this.operations.findLastIndex((other) => compareOperations(other, operation) < 0) + 1;
    this.operations.splice(place, 0, operation);
  }

  remove(operation: KnownOperation): void {
    const place = this.operations.indexOf(operation);
    if (place >= 0) this.operations.splice(place, 1);
  }

  highest(below?: ListOrder): KnownOperation | undefined {
    return this.operations.findLast(
      (operation) => counts(operation) && (below === undefined || compareOperations(operation, below) < 0),
    );
  }

  hasBelow(place: ListOrder): boolean {
    const [lowest] = this.operations;
    return lowest !== undefined && compareOperations(lowest, place) < 0;
  }

  old(): readonly KnownOperation[] {
    return this.operations.filter(({ isOld }) => isOld === true);
  }
}
