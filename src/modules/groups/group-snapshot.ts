import { AppError, type LamportTime, type ChainPosition } from '../../kernel/index.js';
import type { FileCodec } from '../../platform/documents/index.js';
import type { GroupState } from './core/group-history.js';
import type { KnownOperation } from './core/known-operation.js';

const FORMAT = 1;

/** All groups of a node at one log position. */
export interface GroupSnapshot extends GroupState {
  readonly position: ChainPosition;
}

/** Readable JSON, one operation per line. */
export const GROUP_SNAPSHOT_CODEC: FileCodec<GroupSnapshot> = {
  *encode({ operations, ...meta }) {
    yield `{"_meta":${JSON.stringify({ format: FORMAT, ...meta })},"operations":[`;
    let separator = '\n';
    for (const operation of operations) {
      yield `${separator}${JSON.stringify(operation)}`;
      separator = ',\n';
    }
    yield '\n]';
  },
  decode(body, path) {
    const { _meta, operations } = parsed(body);
    if (_meta === undefined || !Array.isArray(operations)) throw corrupt(path, 'is not a snapshot of groups');
    if (_meta.format !== FORMAT) throw corrupt(path, `has the unknown format ${String(_meta.format)}`);
    return { counter: _meta.counter, position: _meta.position, operations };
  },
};

interface Stored {
  readonly _meta?: { readonly format: number; readonly counter: LamportTime; readonly position: ChainPosition };
  readonly operations?: readonly KnownOperation[];
}

function parsed(body: Buffer): Stored {
  try {
    return JSON.parse(`${body.toString('utf8')}}`) as Stored;
  } catch {
    return {};
  }
}

function corrupt(path: string, what: string): AppError {
  return new AppError('data-corrupt', `${path} ${what}`, { retry: 'never' });
}
