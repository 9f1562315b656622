/** What an operation is told, and what it asks for. */
import type { LamportTime } from '../../../kernel/index.js';
import type { Intent, IntentNode, PlainNode, Wanted } from './intent.js';
import type { Look, Seen } from './look.js';
import { isPlain, type WriteAnswer } from './node-status.js';

/** `left`: it was not brought to an end, and a person said to let it be. */
export type Outcome = 'done' | 'refused' | 'rolled-back' | 'open' | 'left';

/** What is to be made of a plain node that never answered, once its operation is undone elsewhere. */
export type UnknownRule = 'leave-open' | 'undo' | 'leave';

export type Input =
  | { readonly type: 'begin' }
  /** The intent of a process that is gone, or an open one. */
  | {
      readonly type: 'resume';
      readonly unknown: UnknownRule;
      /** It is older than what nodes remember: they could not restore what it has deleted. */
      readonly isForgotten: boolean;
      /** So young that a call of it may still be on its way. */
      readonly mayBeUnderWay: boolean;
    }
  | { readonly type: 'looked'; readonly node: string; readonly look: Look }
  | { readonly type: 'written'; readonly node: string; readonly answer: WriteAnswer }
  | { readonly type: 'undo-ended'; readonly node: string; readonly isUndone: boolean; readonly cause?: string };

/** In order: what `keep` and `forget` say is durable before the next effect. */
export type Effect =
  | { readonly do: 'keep'; readonly intent: Intent }
  | { readonly do: 'look'; readonly node: string }
  /** `version`: as the first node has given it. `after`: of the first node, what its version has to be above. */
  | { readonly do: 'write'; readonly node: string; readonly version?: LamportTime; readonly after?: LamportTime }
  | ({ readonly do: 'undo'; readonly node: string } & UndoOptions)
  | { readonly do: 'forget' }
  | { readonly do: 'end'; readonly outcome: Outcome; readonly reason?: string };

export interface UndoOptions {
  /** On a plain node what is asked for; absent: an undo by operation id. */
  readonly contrary?: Contrary;
  /** What was seen there before: seen so again it needs no undo. Absent when what was asked may come even later. */
  readonly before?: Pick<Seen, 'groups' | 'version'>;
}

export interface Contrary {
  readonly remove: readonly string[];
  readonly restore: readonly string[];
}

export function contraryOf(wanted: Wanted, { before }: PlainNode): Contrary {
  return wanted.kind === 'create' ? { remove: [wanted.groupId], restore: [] } : { remove: [], restore: before };
}

/** Of an earlier process: what it was answered nobody knows, and of a plain node nothing better than the time is. */
export const isLateFor =
  ({ mayBeUnderWay, unknown }: { readonly mayBeUnderWay: boolean; readonly unknown: UnknownRule }) =>
  (node: IntentNode): boolean =>
    !isPlain(node) || (mayBeUnderWay && unknown === 'leave-open');
