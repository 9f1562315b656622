import { type Intent, newIntent, type Wanted } from '../../src/protocols/cluster-client/core/intent.js';
import type { WriteAnswer } from '../../src/protocols/cluster-client/core/node-status.js';
import {
  decide,
  type Effect,
  type Input,
  type Look,
  type Operation,
  operationOf,
  type Outcome,
  type UnknownRule,
} from '../../src/protocols/cluster-client/core/operation.js';

/** How a node answers; by default it knows operation ids, has nothing, does what it is asked, and says so. */
export interface ScriptedNode {
  readonly look?: Look;
  /** When everyone has said yes; by default it is as they said. */
  readonly lookAfter?: Look;
  readonly write?: WriteAnswer;
  readonly undo?: boolean;
}

export interface Played {
  /** The effects in their order, in words. */
  readonly trace: readonly string[];
  readonly effects: readonly Effect[];
  readonly end: { readonly outcome: Outcome; readonly reason?: string };
  readonly intent: Intent;
  /** What is durable at the end, if anything. */
  readonly kept: Intent | undefined;
  /** What was durable at any time. */
  readonly everKept: readonly Intent[];
  /** Each as `from -> to`. */
  readonly transitions: readonly string[];
}

export const seen = (...groups: string[]): Look => ({ state: 'seen', understands: true, groups });
export const plain = (...groups: string[]): Look => ({ state: 'seen', understands: false, groups });
export const SILENT: Look = { state: 'silent', cause: 'connection refused: nothing is listening there' };
export const LOST: WriteAnswer = { result: 'failed', mayLand: true, cause: 'no answer' };
export const NEVER_SENT: WriteAnswer = {
  result: 'failed',
  mayLand: false,
  cause: 'connection refused: nothing is listening there',
};
export const said = (result: WriteAnswer['result'], more: Partial<WriteAnswer> = {}): WriteAnswer => ({
  ...{ result, mayLand: false },
  ...more,
});

export type Nodes = Readonly<Record<string, ScriptedNode>>;

export const CREATE: Wanted = { kind: 'create', groupId: 'g' };
export const DELETE: Wanted = { kind: 'delete', groupId: 'g' };
export const CLEAR: Wanted = { kind: 'clear' };
export const ABC: Nodes = { a: {}, b: {}, c: {} };
/** The trace of reading three nodes. */
export const LOOKS = 'look a, look b, look c';
export const HAS_IT: ScriptedNode = { look: seen('g') };
export const PLAIN: ScriptedNode = { look: plain(), write: said('done') };
export const PLAIN_HAS_IT: ScriptedNode = { look: plain('g'), write: said('done') };

export const resume = (unknown: UnknownRule = 'leave-open', isForgotten = false): Input => ({
  ...{ type: 'resume', unknown, isForgotten, mayBeUnderWay: false },
});
export const begin = (wanted: Wanted, nodes: Nodes): Played => play(intentOf(wanted, nodes), nodes);
export const statuses = ({ intent }: Played): string => intent.nodes.map(({ status }) => status).join(', ');

const DONE: WriteAnswer = { result: 'done', mayLand: false, version: 7 };
const BEGIN: Input = { type: 'begin' };

export function intentOf(wanted: Wanted, nodes: Nodes): Intent {
  return newIntent('op', wanted, Object.keys(nodes), 0);
}

/** Plays an operation to its end; what is asked at once is answered in order, or the last first. */
export function play(intent: Intent, nodes: Nodes, first: Input = BEGIN, lastFirst = false): Played {
  const effects: Effect[] = [];
  const everKept: Intent[] = [];
  const transitions: string[] = [];
  let operation: Operation = operationOf(intent);
  let kept: Intent | undefined = first.type === 'resume' ? intent : undefined;
  let asked: Input[] = [];
  const feed = (input: Input): void => {
    const [next, more] = decide(operation, input);
    if (next.phase !== operation.phase) transitions.push(`${operation.phase} -> ${next.phase}`);
    operation = next;
    for (const effect of more) {
      effects.push(effect);
      if (effect.do === 'keep') everKept.push((kept = effect.intent));
      else if (effect.do === 'forget') kept = undefined;
      else if (effect.do !== 'end') asked.push(answerOf(effect, nodes[effect.node] ?? {}, operation));
    }
  };
  feed(first);
  while (asked.length > 0) {
    const now = lastFirst ? asked.toReversed() : asked;
    asked = [];
    for (const input of now) feed(input);
  }
  const end = effects.at(-1);
  if (end?.do !== 'end') throw new Error(`it ended with ${JSON.stringify(end)}`);
  return { trace: effects.map(describe), effects, end, intent: operation.intent, kept, everKept, transitions };
}

function answerOf(
  effect: Extract<Effect, { node: string }>,
  { look = seen(), lookAfter, write, undo = true }: ScriptedNode,
  { phase, intent: { wanted } }: Operation,
): Input {
  const { node } = effect;
  if (effect.do === 'look' && phase === 'confirming') {
    const groups = wanted.kind === 'create' ? [wanted.groupId] : [];
    return { type: 'looked', node, look: lookAfter ?? { ...look, ...(look.state === 'seen' && { groups }) } };
  }
  if (effect.do === 'look') return { type: 'looked', node, look };
  if (effect.do === 'write') return { type: 'written', node, answer: write ?? DONE };
  return { type: 'undo-ended', node, isUndone: undo, ...(!undo && { cause: 'no answer' }) };
}

function describe(effect: Effect): string {
  switch (effect.do) {
    case 'keep':
      return `keep ${effect.intent.direction}`;
    case 'write':
      return `write ${effect.node}${effect.version === undefined ? '' : ` v${String(effect.version)}`}${effect.after === undefined ? '' : ` after ${String(effect.after)}`}`;
    case 'undo': {
      const { remove, restore } = effect.contrary ?? { remove: [], restore: [] };
      return ['undo', effect.node, ...remove.map((id) => `-${id}`), ...restore.map((id) => `+${id}`)].join(' ');
    }
    case 'look':
      return `look ${effect.node}`;
    case 'forget':
      return 'forget';
    case 'end':
      return effect.outcome;
  }
}
