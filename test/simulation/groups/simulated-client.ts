import { type LamportTime, laterOf } from '../../../src/kernel/index.js';
import type { Intent, Wanted } from '../../../src/modules/cluster-client/core/intent.js';
import { newIntent } from '../../../src/modules/cluster-client/core/intent.js';
import type { WriteAnswer } from '../../../src/modules/cluster-client/core/node-standing.js';
import {
  decide,
  type Effect,
  type Input,
  type Look,
  type Operation,
  operationOf,
  type Outcome,
} from '../../../src/modules/cluster-client/core/operation.js';
import type { Delivery, Network } from './network.js';
import type { NodeWork, SimulatedNode } from './simulated-node.js';
import type { Variant } from './variant.js';

const ATTEMPTS = 2;

export interface ClientWorld {
  readonly network: Network;
  readonly nodes: ReadonlyMap<string, SimulatedNode>;
  readonly variant: Variant;
  /** Whether the process dies here. */
  diesNow(): boolean;
  ended(intent: Intent, outcome: Outcome): void;
}

/** The shell of the cluster client over simulated nodes; its disk is `kept`. */
export class SimulatedClient {
  readonly kept = new Map<string, Intent>();
  /** Which life this is: what belongs to an earlier one does nothing any more. */
  private life = 0;
  isBusy = false;

  constructor(private readonly world: ClientWorld) {}

  begin(id: string, wanted: Wanted, names: readonly string[]): void {
    this.run(newIntent(id, wanted, names, 0), { type: 'begin' });
  }

  resume(intent: Intent): void {
    this.run(intent, { type: 'resume', unknown: 'undo', isForgotten: false, mayBeUnderWay: false });
  }

  /** `kill -9`: what is kept stays. */
  die(): void {
    this.life += 1;
    this.isBusy = false;
  }

  private run(intent: Intent, first: Input): void {
    const { life, world } = this;
    let operation: Operation = operationOf(intent);
    this.isBusy = true;
    const feed = (input: Input): void => {
      if (life !== this.life) return;
      const [next, effects] = decide(operation, input);
      operation = next;
      for (const effect of effects) {
        if (world.diesNow()) this.die();
        if (life !== this.life) return;
        this.carryOut(effect, operation, feed);
      }
    };
    feed(first);
  }

  private carryOut(effect: Effect, { intent, phase, looks }: Operation, feed: (input: Input) => void): void {
    const { world } = this;
    switch (effect.do) {
      case 'keep':
        this.kept.set(intent.id, effect.intent);
        return;
      case 'forget':
        this.kept.delete(intent.id);
        return;
      case 'end':
        this.isBusy = false;
        world.ended(intent, effect.outcome);
        return;
      case 'look':
        if (phase === 'confirming' && !world.variant.looksBeforeDone) {
          // As an answer, never at once.
          world.network.queue.after(1, () => {
            feed({ type: 'looked', node: effect.node, look: { state: 'silent', cause: 'not looked at' } });
          });
          return;
        }
        this.ask(
          effect.node,
          (node) => node.look(intent.wanted),
          feed,
          (end): Input => {
            const look: Look = end.answer ? { state: 'seen', ...end.answer } : { state: 'silent', cause: 'silent' };
            return { type: 'looked', node: effect.node, look };
          },
        );
        return;
      case 'write': {
        const version = world.variant.sendsVersions ? effect.version : undefined;
        const believed = world.variant.believesAnyNumber ? highestIn(looks) : effect.after;
        const after = world.variant.asksForPlaceAbove && effect.version === undefined ? believed : undefined;
        this.ask(
          effect.node,
          (node) => node.write(intent.id, intent.wanted, version, after),
          feed,
          (end): Input => {
            const answer: WriteAnswer = { mayLand: end.mayLand, ...(end.answer ?? { result: 'failed' }) };
            return { type: 'written', node: effect.node, answer };
          },
        );
        return;
      }
      case 'undo': {
        const undo: NodeWork<true> = (node) => node.undo(intent.id, intent.wanted);
        this.ask(effect.node, undo, feed, (end): Input => {
          const isUndone = end.answer === true || world.variant.trustsUndos;
          return { type: 'undo-ended', node: effect.node, isUndone };
        });
      }
    }
  }

  /** As often as is allowed. */
  private ask<Answer>(
    name: string,
    work: NodeWork<Answer>,
    feed: (input: Input) => void,
    inputOf: (end: { readonly answer?: Answer; readonly mayLand: boolean }) => Input,
  ): void {
    const { network, nodes } = this.world;
    const node = nodes.get(name)!;
    let mayLand = false;
    const attempt = (number: number): void => {
      network.send(
        name,
        () => work(node),
        (delivery: Delivery<Answer>) => {
          if (typeof delivery === 'object') {
            feed(inputOf({ answer: delivery.answer, mayLand }));
            return;
          }
          mayLand ||= delivery === 'silent';
          if (number < ATTEMPTS) attempt(number + 1);
          else feed(inputOf({ mayLand }));
        },
      );
    };
    attempt(1);
  }
}

function highestIn(looks: Operation['looks']): LamportTime {
  return [...looks.values()].map((look) => (look.state === 'seen' ? (look.version ?? 0) : 0)).reduce(laterOf, 0);
}
