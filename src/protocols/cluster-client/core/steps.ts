/** The inputs and effects of an operation. */
import type { LamportTime } from '../../../kernel/index.js';
import type { Intent, IntentNode, PlainNode, Wanted } from './intent.js';
import type { Look, Seen } from './look.js';
import { isPlain, type WriteAnswer } from './node-status.js';

/** `left`: the operation is unfinished, and a person chose to leave it so. */
export type Outcome = 'done' | 'refused' | 'rolled-back' | 'open' | 'left';

/** The treatment of a plain node that never answered, once the operation is undone elsewhere. */
export type UnknownRule = 'leave-open' | 'undo' | 'leave';

export type Input =
  | { readonly type: 'begin' }
  /** The intent of a crashed process, or an open one. */
  | {
      readonly type: 'resume';
      readonly unknown: UnknownRule;
      /** The operation is older than what nodes remember, so they could not restore what it deleted. */
      readonly isForgotten: boolean;
      /** The operation is so young that one of its calls may still be on its way. */
      readonly mayBeUnderWay: boolean;
    }
  | { readonly type: 'looked'; readonly node: string; readonly look: Look }
  | { readonly type: 'written'; readonly node: string; readonly answer: WriteAnswer }
  | { readonly type: 'undo-ended'; readonly node: string; readonly isUndone: boolean; readonly cause?: string };

/** Effects run in order: `keep` and `forget` are durable before the next effect starts. */
export type Effect =
  | { readonly do: 'keep'; readonly intent: Intent }
  | { readonly do: 'look'; readonly node: string }
  /** `version` is the one that the first node gave. `after`, for the first node, is what its version must exceed. */
  | { readonly do: 'write'; readonly node: string; readonly version?: LamportTime; readonly after?: LamportTime }
  | ({ readonly do: 'undo'; readonly node: string } & UndoOptions)
  | { readonly do: 'forget' }
  | { readonly do: 'end'; readonly outcome: Outcome; readonly reason?: string };

export interface UndoOptions {
  /** The contrary request for a plain node; absent for an undo by operation id. */
  readonly contrary?: Contrary;
  /** The result of a query before the operation; a node in that state needs no undo. Absent when the request may come later. */
  readonly before?: Pick<Seen, 'groups' | 'version'>;
}

export interface Contrary {
  readonly remove: readonly string[];
  readonly restore: readonly string[];
}

export function contraryOf(wanted: Wanted, { before }: PlainNode): Contrary {
  return wanted.kind === 'create' ? { remove: [wanted.groupId], restore: [] } : { remove: [], restore: before };
}

/** The answers to an earlier process are lost, and for a plain node elapsed time is the only evidence. */
export const isLateFor =
  ({ mayBeUnderWay, unknown }: { readonly mayBeUnderWay: boolean; readonly unknown: UnknownRule }) =>
  (node: IntentNode): boolean =>
    !isPlain(node) || (mayBeUnderWay && unknown === 'leave-open');
