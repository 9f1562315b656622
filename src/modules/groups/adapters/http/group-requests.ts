import type { FastifyRequest } from 'fastify';
import {
  type AppError,
  compareLamport,
  type LamportTime,
  MAX_VERSION_LEAP,
  maxRaise,
  parseLamport,
  plusLamport,
} from '../../../../kernel/index.js';
import type { GroupOp } from '../../core/group-history.js';
import type { OperationKind } from '../../core/known-operation.js';
import {
  type BodySchema,
  isPrintable,
  malformedField,
  PRINTABLE_RULE,
  scopeOf,
  validBody,
} from '../../../../platform/http/index.js';
import { groupInputSchema, newGroupSchema, noInputSchema } from './group.schemas.js';

/** The prefix of operation ids made from keys; no `X-Operation-Id` can begin with it. */
const KEYED = 'key\u2192';

/** Fields that clients must not set but may send back. */
const SERVER_OWNED = ['nodeId'];

export interface GroupRequest {
  readonly op: GroupOp;
  readonly isNamed: boolean;
  /** The request has only an `Idempotency-Key`. */
  readonly isKeyed: boolean;
  /** The id that an earlier version gave to this key, regardless of caller and method. */
  readonly earlierId?: string;
}

/** Undefined when the request has no valid operation id. */
export function operationIdIn(request: FastifyRequest): string | undefined {
  const id = header(request, 'x-operation-id');
  return isPrintable(id) ? id : undefined;
}

/** For POST and DELETE. `kind` is what the method and path ask for unless the request is an undo. Throws `validation-failed`. */
export function groupRequest(request: FastifyRequest, kind: OperationKind, newId: () => string): GroupRequest {
  const undone = printable(request, 'x-undo');
  const schema = undone === undefined || kind === 'clear' ? SCHEMAS[kind] : groupInputSchema;
  const group = validBody(schema, request.body, SERVER_OWNED);
  if (undone !== undefined) {
    return { op: { type: 'undo', id: undone, kind: UNDONE_BY[kind], ...group }, isNamed: true, isKeyed: false };
  }
  const named = printable(request, 'x-operation-id');
  const key = printable(request, 'idempotency-key');
  const id = named ?? (key === undefined ? newId() : KEYED + scopeOf(request, key));
  const version = versionIn(request, 'x-group-version');
  const after = versionIn(request, 'x-group-version-after');
  return {
    op: {
      type: 'do',
      id,
      kind,
      ...group,
      ...(version !== undefined && { version }),
      ...(after !== undefined && { after }),
    },
    isNamed: named !== undefined || key !== undefined,
    isKeyed: named === undefined && key !== undefined,
    ...(named === undefined && key !== undefined && { earlierId: KEYED + key }),
  };
}

const SCHEMAS: Readonly<Record<OperationKind, BodySchema<{ readonly groupId?: string }>>> = {
  create: newGroupSchema,
  delete: groupInputSchema,
  clear: noInputSchema,
};

/** The same path with the contrary method: a DELETE undoes a create. */
const UNDONE_BY = { delete: 'create', create: 'delete', clear: 'clear' } as const;

/** Throws `validation-failed` for an invalid version. */
export function versionIn(
  request: FastifyRequest,
  name: 'x-group-version' | 'x-group-version-after',
): LamportTime | undefined {
  const text = header(request, name);
  if (text === undefined) return undefined;
  const version = parseLamport(text);
  if (version !== undefined && version !== 0) return version;
  throw malformedField('validation-failed', NAMES[name], 'must be a whole number from 1, of 30 digits at most');
}

/** The refusal of a version that no honest caller can have met. */
export function tooFar({ version = 0 }: GroupOp & { readonly type: 'do' }, met: LamportTime): AppError {
  const isVersion = compareLamport(version, plusLamport(met, MAX_VERSION_LEAP)) > 0;
  const name = isVersion ? 'x-group-version' : 'x-group-version-after';
  const rule = `must be at most ${String(MAX_VERSION_LEAP)} above ${String(met)}, the highest version that this node has seen`;
  return malformedField('validation-failed', NAMES[name], rule);
}

/** The refusal to go further than `maxRaise`. */
export function tooFarToRaise(met: LamportTime): AppError {
  const rule = `must be at most ${String(maxRaise(met))}, because this node has seen only ${String(met)}; raise it again from there`;
  return malformedField('validation-failed', NAMES['x-group-version'], rule);
}

const NAMES = {
  'x-operation-id': 'X-Operation-Id',
  'x-undo': 'X-Undo',
  'idempotency-key': 'Idempotency-Key',
  'x-group-version': 'X-Group-Version',
  'x-group-version-after': 'X-Group-Version-After',
} as const;

function printable(request: FastifyRequest, name: keyof typeof NAMES): string | undefined {
  const text = header(request, name);
  if (text === undefined || isPrintable(text)) return text;
  throw malformedField('validation-failed', NAMES[name], PRINTABLE_RULE);
}

function header({ headers }: FastifyRequest, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}
