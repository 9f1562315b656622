import type { Intent, NodeStatus } from '../core/intent.js';
import { decide, type Effect, type Input, type Operation, operationOf, type Outcome } from '../core/operation.js';
import { groupsIn } from '../core/look.js';
import { isPlain } from '../core/node-status.js';
import type { IntentFiles } from './intent-files.js';
import type { Call, CallEnd, Spent } from './node-calls.js';
import { lookAt, undo, write } from './node-requests.js';

export type Step = 'look' | 'write' | 'undo';

export interface Progress {
  readonly operationId: string;
  readonly node: string;
  readonly step: Step;
  /** `asked` when the call starts; afterwards the status of the node. */
  readonly status: 'asked' | NodeStatus;
}

export interface OperationPorts {
  readonly intents: Pick<IntentFiles, 'keep' | 'forget'>;
  /** Calls a node, with retries, and adds the cost to `spent`. */
  readonly call: (node: string, call: Call, spent: Spent) => Promise<CallEnd>;
  readonly onProgress?: (progress: Progress) => void;
}

export interface Ended {
  readonly intent: Intent;
  readonly outcome: Outcome;
  readonly reason?: string;
  readonly spent: ReadonlyMap<string, Spent>;
}

/** Rejects when the intent cannot be kept or forgotten; the operation then stays open. */
export function runOperation(ports: OperationPorts, intent: Intent, first: Input): Promise<Ended> {
  const spent = new Map<string, Spent>(intent.nodes.map(({ name }) => [name, { attempts: 0, ms: 0 }]));
  const { id, wanted } = intent;
  let operation: Operation = operationOf(intent);
  return new Promise((resolve, reject) => {
    const report = (node: string, step: Step, status: Progress['status']): void => {
      try {
        ports.onProgress?.({ operationId: id, node, step, status });
      } catch {
        // An observer must not stop the operation.
      }
    };
    const feed = (input: Input): void => {
      const [next, effects] = decide(operation, input);
      operation = next;
      if ('node' in input) report(input.node, STEP_OF[input.type], statusOf(next, input.node));
      carryOut(effects).catch(reject);
    };
    const carryOut = async (effects: readonly Effect[]): Promise<void> => {
      for (const effect of effects) {
        if (effect.do === 'keep') await ports.intents.keep(effect.intent);
        else if (effect.do === 'forget') await ports.intents.forget(id);
        else if (effect.do === 'end') resolve({ ...effect, intent: operation.intent, spent });
        else ask(effect).then(feed).catch(reject);
      }
    };
    const ask = async (effect: Extract<Effect, { node: string }>): Promise<Input> => {
      const { node } = effect;
      const asking = (call: Call): Promise<CallEnd> =>
        ports.call(node, call, spent.get(node) ?? { attempts: 0, ms: 0 });
      report(node, effect.do, 'asked');
      switch (effect.do) {
        case 'look':
          return { type: 'looked', node, look: await lookAt(asking, id, wanted) };
        case 'write': {
          const before = groupsIn(operation.looks.get(node));
          const knowsIds = !isPlainNode(operation, node);
          return { type: 'written', node, answer: await write(asking, id, wanted, { ...effect, knowsIds, before }) };
        }
        case 'undo': {
          const { isUndone, cause } = await undo(asking, id, wanted, effect);
          return { type: 'undo-ended', node, isUndone, ...(cause !== undefined && { cause }) };
        }
      }
    };
    feed(first);
  });
}

const STEP_OF = { looked: 'look', written: 'write', 'undo-ended': 'undo' } as const;

function isPlainNode({ intent }: Operation, node: string): boolean {
  return intent.nodes.some((one) => one.name === node && isPlain(one));
}

function statusOf({ intent }: Operation, node: string): NodeStatus {
  return intent.nodes.find(({ name }) => name === node)?.status ?? 'unknown';
}
