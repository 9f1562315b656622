/**
 * One operation on all nodes or on none. Invariant: when it ends `done`, every node has done it; when it ends `refused` or
 * `rolled-back`, no node has done it and none will; until it has ended in one of these, its intent is durable.
 *
 * The operation looks at all nodes before it writes. It then writes to the first node, which gives it a version, its position
 * among all operations on the group (as in Lamport's total order). Only then does it write to the rest, all at once, with that
 * version. Any obstacle leads back: an undo by operation id on every node that received, or may yet receive, the request, the
 * first node last.
 *
 * A node that does not know operation ids (a plain node) can be asked for the contrary only after it has said yes; the fate of a
 * request that it never answered stays unknown. Going forward needs no such knowledge, so an operation without any other obstacle
 * is left open forward.
 */
import { compareLamport, type LamportTime, plusLamport } from '../../../kernel/index.js';
import type { Intent, IntentNode } from './intent.js';
import { groupsIn, hasGroups, isAsWanted, type Look, metBy } from './look.js';
import {
  comesLate,
  forwardStatus,
  isGood,
  isPlain,
  isTouchedAfter,
  reasonOf,
  statusAfter,
  type WriteAnswer,
} from './node-status.js';
import { isLagging, lagsBehind, versionAbove } from './version-bounds.js';
import { contraryOf, type Effect, type Input, isLateFor, type Outcome, type UnknownRule } from './steps.js';

export type { Look } from './look.js';
export type { Contrary, Effect, Input, Outcome, UndoOptions, UnknownRule } from './steps.js';

/** Maps each phase to the phases that may follow. */
export const PHASES = {
  idle: ['looking', 'looking-back'],
  looking: ['deciding', 'ended'],
  'looking-back': ['undoing', 'undoing-first', 'deciding', 'ended'],
  deciding: ['spreading', 'confirming', 'undoing-first', 'ended'],
  spreading: ['confirming', 'undoing', 'undoing-first', 'ended'],
  confirming: ['undoing', 'undoing-first', 'ended'],
  undoing: ['undoing-first', 'ended'],
  'undoing-first': ['ended'],
  ended: [],
} as const satisfies Record<string, readonly string[]>;
export type Phase = keyof typeof PHASES;

/** Maps a phase to the input that nodes answer with. */
const ASKED: Readonly<Partial<Record<Phase, Input['type']>>> = {
  looking: 'looked',
  'looking-back': 'looked',
  deciding: 'written',
  spreading: 'written',
  confirming: 'looked',
  undoing: 'undo-ended',
  'undoing-first': 'undo-ended',
};

export interface Operation {
  readonly intent: Intent;
  readonly phase: Phase;
  /** The nodes whose answers are outstanding. */
  readonly awaited: readonly string[];
  /** Looks from before the first write. */
  readonly looks: ReadonlyMap<string, Look>;
  /** Nodes that said yes, while a later look showed otherwise. */
  readonly contradicted: readonly string[];
  /** Nodes that may carry out the request even later; only a confirmed undo by id prevents that. */
  readonly late: readonly string[];
  readonly unknown: UnknownRule;
  readonly isForgotten: boolean;
  readonly mayBeUnderWay: boolean;
}

export type Decision = readonly [Operation, readonly Effect[]];

export function operationOf(intent: Intent): Operation {
  return {
    intent,
    phase: 'idle',
    awaited: [],
    looks: new Map(),
    contradicted: [],
    late: [],
    unknown: 'leave-open',
    isForgotten: false,
    mayBeUnderWay: false,
  };
}

export function decide(operation: Operation, input: Input): Decision {
  switch (input.type) {
    case 'begin':
      return look(to(operation, 'looking'), [{ do: 'keep', intent: operation.intent }]);
    case 'resume':
      return look(
        {
          ...to(operation, 'looking-back'),
          unknown: input.unknown,
          isForgotten: input.isForgotten,
          mayBeUnderWay: input.mayBeUnderWay,
          late: operation.intent.nodes.filter(isLateFor(input)).map(({ name }) => name),
        },
        [],
      );
    case 'looked': {
      if (operation.phase === 'confirming') return confirm(answered(afterConfirming(operation, input), input));
      const looks = new Map(operation.looks).set(input.node, input.look);
      const heard = answered({ ...operation, looks }, input);
      if (heard.awaited.length > 0) return [heard, []];
      return heard.phase === 'looking' ? judge(heard) : takeUp(heard);
    }
    case 'written': {
      const written = answered(afterWrite(operation, input.node, input.answer), input);
      if (written.awaited.length > 0) return [written, []];
      return written.phase === 'deciding' ? afterFirst(written, input.answer) : settle(written);
    }
    case 'undo-ended': {
      const undone = answered(afterUndo(operation, input.node, input), input);
      if (undone.awaited.length > 0) return [undone, []];
      return undone.phase === 'undoing' ? undoFirst(undone) : endUndone(undone);
    }
  }
}

function look(operation: Operation, before: readonly Effect[] = []): Decision {
  const names = operation.intent.nodes.map(({ name }) => name);
  return [{ ...operation, awaited: names }, [...before, ...names.map((node): Effect => ({ do: 'look', node }))]];
}

/** Nothing is written yet, so any obstacle ends the operation at once. */
function judge(operation: Operation): Decision {
  const { wanted } = operation.intent;
  const after = versionAbove(metIn(operation));
  const seen = mapNodes(operation, (node) => {
    const found = operation.looks.get(node.name);
    if (found === undefined || found.state === 'silent')
      return { ...node, status: 'unreachable', ...why(found?.cause) };
    const before = found.groups;
    const known = found.understands ? node : { ...node, plain: { before } };
    if (wanted.kind === 'create' && before.length > 0)
      return { ...known, status: 'refused', ...why('it has the group') };
    if (found.understands && found.version !== undefined && isLagging(found.version, after))
      return { ...known, status: 'refused', ...why(lagsBehind(found.version, after)) };
    return known;
  });
  const nodes = seen.intent.nodes;
  const against = nodes.filter(({ status }) => status !== 'untouched');
  if (against.length > 0) return end(seen, 'refused', reasonOf(against));
  if (wanted.kind === 'delete' && ![...operation.looks.values()].some(hasGroups)) {
    const absent = mapNodes(seen, (node) => ({ ...node, status: 'refused', ...why('it has no such group') }));
    return end(absent, 'refused', 'no node has the group');
  }
  const kept: readonly Effect[] = nodes.some(isPlain) ? [{ do: 'keep', intent: seen.intent }] : [];
  return writeFirst(seen, kept);
}

function writeFirst(operation: Operation, before: readonly Effect[]): Decision {
  const node = firstOf(operation);
  // The version is above what a majority has met, and above what any node has met that is not far ahead of the majority.
  const after = versionAbove(metIn(operation));
  const own = metBy(operation.looks.get(node.name)) ?? 0;
  // A node that is far ahead would allot a version that the others refuse, so it is given one, as they are.
  const isAhead = compareLamport(own, after) > 0;
  const versioning = isAhead ? { version: plusLamport(after, 1) } : after === 0 ? {} : { after };
  const write: Effect = { do: 'write', node: node.name, ...versioning };
  return [{ ...to(operation, 'deciding'), awaited: [node.name] }, [...before, write]];
}

function afterFirst(operation: Operation, { version }: WriteAnswer): Decision {
  if (!isGood(firstOf(operation)) || operation.intent.nodes.length === 1) return settle(operation);
  const rest = operation.intent.nodes.slice(1).filter(({ name }) => operation.looks.get(name)?.state === 'seen');
  if (rest.length === 0) return settle(operation);
  return [
    { ...to(operation, 'spreading'), awaited: rest.map(({ name }) => name) },
    rest.map(({ name }) => ({ do: 'write', node: name, ...(version !== undefined && { version }) })),
  ];
}

/** Every awaited node has answered or has had its last chance. */
function settle(operation: Operation): Decision {
  const { nodes, wanted, direction } = operation.intent;
  if (direction === 'forward' && !nodes.every(isGood)) return leaveOpen(operation, NOT_CONFIRMED);
  if (nodes.every(isGood)) {
    if (wanted.kind !== 'delete' || direction === 'forward' || nodes.some(({ status }) => status === 'done'))
      return look(to(operation, 'confirming'));
    return end(operation, 'refused', 'no node has the group any more');
  }
  const bad = nodes.filter((node) => !isGood(node));
  if (nodes.every(({ isTouched }) => !isTouched)) return end(operation, 'refused', reasonOf(bad));
  if (bad.every((node) => node.status === 'untouched' || (isPlain(node) && node.status === 'unknown'))) {
    return leaveOpen(withDirection(operation, 'forward'), 'a node that does not know operation ids did not answer');
  }
  return undo(withDirection(operation, 'backward'));
}

/** Every node has said yes; `done` also needs a look. A node that does not answer the look counts by its earlier answer. */
function confirm(operation: Operation): Decision {
  if (operation.awaited.length > 0) return [operation, []];
  if (operation.contradicted.length === 0) return end(operation, 'done');
  return operation.intent.direction === 'forward'
    ? leaveOpen(operation, NOT_CONFIRMED)
    : undo(withDirection(operation, 'backward'));
}

function afterConfirming(
  operation: Operation,
  { node: name, look: found }: Extract<Input, { type: 'looked' }>,
): Operation {
  const { wanted } = operation.intent;
  const isContradicted = found.state === 'seen' && !isAsWanted(found, wanted, groupsIn(operation.looks.get(name)));
  if (!isContradicted) return operation;
  const cause = `the node said yes, but ${wanted.kind === 'create' ? 'does not have' : 'still has'} the group`;
  const contradicted = [...operation.contradicted, name];
  return mapNodes({ ...operation, contradicted }, (node) => (node.name === name ? { ...node, cause } : node));
}

/** Resumes what a crashed process left, or an open operation. */
function takeUp(operation: Operation): Decision {
  const { direction, nodes, wanted } = operation.intent;
  if (operation.isForgotten && wanted.kind !== 'create' && direction !== 'forward') {
    return leaveOpen(
      operation,
      'the operation is so old that the nodes have forgotten it: create or delete the group, then abandon the operation',
    );
  }
  const isForward = direction === 'forward' || (direction === 'undecided' && nodes.some(isPlain));
  if (isForward && !isSuperseded(operation)) {
    const forward = withDirection(operation, 'forward');
    if (operation.looks.get(firstOf(operation).name)?.state !== 'seen') {
      return leaveOpen(markSilent(forward), 'the first node does not answer');
    }
    return writeFirst(markSilent(forward), [{ do: 'keep', intent: forward.intent }]);
  }
  // Undecided and no plain node: all nodes knew operation ids when they were looked at, or nothing was written.
  const presumed = direction === 'undecided' ? mapNodes(operation, presume(operation)) : operation;
  return undo(markSilent(withDirection(mapNodes(presumed, resolveUnknown(presumed)), 'backward')));
}

/**
 * A node that knows operation ids did it, and another client has changed it since: completing it would make nodes differ.
 */
function isSuperseded({ intent: { nodes, wanted }, looks }: Operation): boolean {
  return nodes.some((node) => {
    const found = looks.get(node.name);
    if (isPlain(node) || !isGood(node) || found?.state !== 'seen' || wanted.kind === 'clear') return false;
    return hasGroups(found) !== (wanted.kind === 'create');
  });
}

const presume =
  ({ looks }: Operation) =>
  (node: IntentNode): IntentNode => {
    const found = looks.get(node.name);
    return found?.state === 'seen' && !found.understands ? node : { ...node, status: 'unknown', isTouched: true };
  };

/** Resolves a plain node that never answered while the others go back. */
const resolveUnknown =
  ({ looks, unknown, intent, mayBeUnderWay }: Operation) =>
  (node: IntentNode): IntentNode => {
    const found = looks.get(node.name);
    if (!isPlain(node) || node.status !== 'unknown' || found?.state !== 'seen') return node;
    const before = node.plain?.before ?? [];
    const isAsBefore =
      intent.wanted.kind === 'create' ? !hasGroups(found) : before.every((id) => found.groups.includes(id));
    if (isAsBefore && mayBeUnderWay && unknown === 'leave-open') {
      return { ...node, ...why(STILL_UNDER_WAY) };
    }
    if (isAsBefore || unknown === 'leave') return { ...node, status: 'rolled-back', isTouched: false };
    return unknown === 'undo' ? { ...node, status: 'done' } : node;
  };

function markSilent(operation: Operation): Operation {
  return mapNodes(operation, (node) => {
    const found = operation.looks.get(node.name);
    if (found?.state !== 'silent' || (!node.isTouched && isGood(node))) return node;
    return { ...node, ...why(found.cause) };
  });
}

function undo(operation: Operation): Decision {
  const kept: Effect = { do: 'keep', intent: operation.intent };
  const rest = operation.intent.nodes.slice(1).filter(canUndo(operation));
  if (rest.length === 0) return undoFirst(operation, [kept]);
  return [
    { ...to(operation, 'undoing'), awaited: rest.map(({ name }) => name) },
    [kept, ...rest.map((node) => undoing(operation, node))],
  ];
}

function undoFirst(operation: Operation, before: readonly Effect[] = []): Decision {
  const node = firstOf(operation);
  if (!canUndo(operation)(node)) return endUndone(operation, before);
  return [{ ...to(operation, 'undoing-first'), awaited: [node.name] }, [...before, undoing(operation, node)]];
}

const canUndo =
  ({ looks }: Operation) =>
  (node: IntentNode): boolean => {
    const found = looks.get(node.name);
    if (!node.isTouched || found?.state !== 'seen') return false;
    return isPlain(node) ? node.status === 'done' : found.understands;
  };

function undoing(operation: Operation, { name, plain }: IntentNode): Effect {
  const found = operation.looks.get(name);
  const groups = plain?.before ?? groupsIn(found);
  const version = metBy(found);
  // An operation below the highest version that a node has met leaves no trace in that version.
  const isAhead = compareLamport(version ?? 0, versionAbove(metIn(operation))) > 0;
  const isUnclear = isAhead || operation.late.includes(name);
  const before = isUnclear ? {} : { before: { groups, ...(version !== undefined && { version }) } };
  if (plain === undefined) return { do: 'undo', node: name, ...before };
  return { do: 'undo', node: name, contrary: contraryOf(operation.intent.wanted, plain), ...before };
}

function endUndone(operation: Operation, before: readonly Effect[] = []): Decision {
  const open = operation.intent.nodes.filter(({ isTouched }) => isTouched);
  const [ended, effects] =
    open.length === 0
      ? end(operation, 'rolled-back', reasonOf(operation.intent.nodes.filter(isReason(operation))))
      : leaveOpen(operation, 'not every node has confirmed the undo');
  return [ended, [...before, ...effects]];
}

function afterWrite(operation: Operation, name: string, answer: WriteAnswer): Operation {
  const isForward = operation.intent.direction === 'forward';
  const late = comesLate(answer) ? [...operation.late, name] : operation.late;
  return mapNodes({ ...operation, late }, (node) => {
    if (node.name !== name) return node;
    const status = isForward ? forwardStatus(answer) : statusAfter(node, answer);
    const { cause: _earlier, ...rest } = node;
    return { ...rest, status, isTouched: isTouchedAfter(node, status, answer), ...why(answer.cause) };
  });
}

function afterUndo(
  operation: Operation,
  name: string,
  { isUndone, cause }: { readonly isUndone: boolean; readonly cause?: string },
): Operation {
  return mapNodes(operation, (node) => {
    if (node.name !== name) return node;
    if (!isUndone) return { ...node, status: 'unknown', ...why(cause) };
    // Only a node that knows operation ids refuses what comes after its undo.
    if (isPlain(node) && operation.late.includes(name)) return { ...node, status: 'unknown', ...why(STILL_UNDER_WAY) };
    return { ...node, status: node.status === 'refused' ? 'refused' : 'rolled-back', isTouched: false };
  });
}

function end(operation: Operation, outcome: Outcome, reason?: string): Decision {
  return [to(operation, 'ended'), [{ do: 'forget' }, { do: 'end', outcome, ...(reason !== undefined && { reason }) }]];
}

function leaveOpen(operation: Operation, reason: string): Decision {
  if (operation.unknown === 'leave') return end(operation, 'left', reason);
  return [
    to(operation, 'ended'),
    [
      { do: 'keep', intent: operation.intent },
      { do: 'end', outcome: 'open', reason },
    ],
  ];
}

function to(operation: Operation, phase: Phase): Operation {
  const followers: readonly Phase[] = PHASES[operation.phase];
  if (!followers.includes(phase)) throw new Error(`${phase} cannot follow ${operation.phase}`);
  return { ...operation, phase };
}

function answered(operation: Operation, { type, node }: Extract<Input, { node: string }>): Operation {
  const isAsked = ASKED[operation.phase] === type && operation.awaited.includes(node);
  if (!isAsked) throw new Error(`${node} was not asked for this answer (${type} while ${operation.phase})`);
  return { ...operation, awaited: operation.awaited.filter((name) => name !== node) };
}

function mapNodes(operation: Operation, change: (node: IntentNode) => IntentNode): Operation {
  return { ...operation, intent: { ...operation.intent, nodes: operation.intent.nodes.map(change) } };
}

function withDirection(operation: Operation, direction: Intent['direction']): Operation {
  return { ...operation, intent: { ...operation.intent, direction } };
}

function firstOf({ intent }: Operation): IntentNode {
  const [node] = intent.nodes;
  if (node === undefined) throw new Error('an operation has at least one node');
  return node;
}

const STILL_UNDER_WAY = 'a call may still be under way to the node: repair again in a minute';
const NOT_CONFIRMED = 'not every node has confirmed the operation';
const metIn = ({ looks }: Operation): readonly LamportTime[] =>
  [...looks.values()].flatMap((found) => metBy(found) ?? []);
const isReason =
  ({ contradicted }: Operation) =>
  ({ name, cause }: IntentNode): boolean =>
    contradicted.length > 0 ? contradicted.includes(name) : cause !== undefined;
const why = (cause: string | undefined): { readonly cause?: string } => (cause === undefined ? {} : { cause });
