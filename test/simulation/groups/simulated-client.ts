import { type LamportTime, laterOf } from '../../../src/kernel/index.js';
import type { Intent, Wanted } from '../../../src/protocols/cluster-client/core/intent.js';
import { newIntent } from '../../../src/protocols/cluster-client/core/intent.js';
import { groupsIn } from '../../../src/protocols/cluster-client/core/look.js';
import {
  decide,
  type Effect,
  type Input,
  type Look,
  type Operation,
  operationOf,
  type Outcome,
} from '../../../src/protocols/cluster-client/core/operation.js';
import { afterBreak, needsNoUndo, statusAfter } from '../../../src/protocols/cluster-client/shell/node-requests.js';
import type { Delivery, Network } from './network.js';
import type { NodeWork, SimulatedNode } from './simulated-node.js';
import type { Variant } from './variant.js';

const ATTEMPTS = 2;

/** The end of a call after all its attempts. */
interface End<Answer> {
  readonly answer?: Answer;
  readonly mayLand: boolean;
  /** The last answer was 500. */
  readonly isBroken?: true;
  /** An earlier answer was 500. */
  readonly wasBroken?: true;
}

export interface ClientWorld {
  readonly network: Network;
  readonly nodes: ReadonlyMap<string, SimulatedNode>;
  readonly variant: Variant;
  /** True when the process dies here. */
  diesNow(): boolean;
  ended(intent: Intent, outcome: Outcome): void;
}

/** The shell of the cluster client over simulated nodes; its disk is `kept`. */
export class SimulatedClient {
  readonly kept = new Map<string, Intent>();
  /** The number of this incarnation: callbacks of an earlier one have no effect. */
  private incarnation = 0;
  isBusy = false;

  constructor(private readonly world: ClientWorld) {}

  begin(id: string, wanted: Wanted, names: readonly string[]): void {
    this.run(newIntent(id, wanted, names, 0), { type: 'begin' });
  }

  resume(intent: Intent): void {
    this.run(intent, { type: 'resume', unknown: 'undo', isForgotten: false, mayBeUnderWay: false });
  }

  /** `kill -9`: the stored intents remain. */
  die(): void {
    this.incarnation += 1;
    this.isBusy = false;
  }

  private run(intent: Intent, first: Input): void {
    const { incarnation, world } = this;
    let operation: Operation = operationOf(intent);
    this.isBusy = true;
    const feed = (input: Input): void => {
      if (incarnation !== this.incarnation) return;
      const [next, effects] = decide(operation, input);
      operation = next;
      for (const effect of effects) {
        if (world.diesNow()) this.die();
        if (incarnation !== this.incarnation) return;
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
          // Asynchronous, like an answer.
          world.network.queue.after(1, () => {
            feed({ type: 'looked', node: effect.node, look: { state: 'silent', cause: 'not queried' } });
          });
          return;
        }
        this.look(effect.node, intent.wanted, (look) => {
          feed({ type: 'looked', node: effect.node, look });
        });
        return;
      case 'write':
        this.write(effect, intent, looks, feed);
        return;
      case 'undo':
        this.undo(effect, intent, feed);
    }
  }

  private look(node: string, wanted: Wanted, done: (look: Look) => void): void {
    this.ask(
      node,
      (one) => one.look(wanted),
      ({ answer }) => {
        done(answer ? { state: 'seen', ...answer } : { state: 'silent', cause: 'silent' });
      },
      false,
    );
  }

  private write(
    { node, version: given, after: asked }: Extract<Effect, { do: 'write' }>,
    { id, wanted }: Intent,
    looks: Operation['looks'],
    feed: (input: Input) => void,
  ): void {
    const { variant } = this.world;
    const version = variant.sendsVersions ? given : undefined;
    const believed = variant.believesAnyNumber ? highestIn(looks) : asked;
    const after = variant.asksForVersionAbove && given === undefined ? believed : undefined;
    this.askUnbroken(
      node,
      (one) => one.write(id, wanted, version, after),
      (end) => {
        if (end.isBroken) {
          this.look(node, wanted, (look) => {
            const options = { knowsIds: !variant.believesLooks, before: groupsIn(looks.get(node)) };
            feed({ type: 'written', node, answer: afterBreak(look, wanted, options, end, 'it answered 500') });
          });
          return;
        }
        const standing = variant.mindsWhatFailed ? statusAfter(end) : { mayLand: end.mayLand };
        feed({ type: 'written', node, answer: { ...standing, ...(end.answer ?? { result: 'failed' }) } });
      },
    );
  }

  private undo(
    { node, before: seen }: Extract<Effect, { do: 'undo' }>,
    { id, wanted }: Intent,
    feed: (input: Input) => void,
  ): void {
    const { variant } = this.world;
    const before = seen ?? (variant.mindsWhatIsLate || wanted.kind !== 'create' ? undefined : { groups: [] });
    this.askUnbroken(
      node,
      (one) => one.undo(id, wanted),
      (end) => {
        const isUndone = end.answer === true || variant.trustsUndos;
        if (isUndone || !end.isBroken || before === undefined) {
          feed({ type: 'undo-ended', node, isUndone });
          return;
        }
        const known = variant.mindsWhatIsBelow ? before : { groups: before.groups };
        this.look(node, wanted, (look) => {
          feed({ type: 'undo-ended', node, isUndone: needsNoUndo(look, wanted, known) });
        });
      },
    );
  }

  /** Asks a node that answers 500 once more. */
  private askUnbroken<Answer>(name: string, work: NodeWork<Answer>, done: (end: End<Answer>) => void): void {
    this.ask(name, work, (first) => {
      if (!first.isBroken) done(first);
      else
        this.ask(name, work, (second) => {
          done({ ...second, mayLand: first.mayLand || second.mayLand, wasBroken: true });
        });
    });
  }

  /** Asks as often as allowed. */
  private ask<Answer>(name: string, work: NodeWork<Answer>, done: (end: End<Answer>) => void, isChange = true): void {
    const { network, nodes } = this.world;
    const node = nodes.get(name)!;
    let mayLand = false;
    const attempt = (number: number): void => {
      network.send(
        name,
        () => work(node),
        (delivery: Delivery<Answer>) => {
          if (delivery === 'broken') done({ isBroken: true, mayLand });
          else if (typeof delivery === 'object') done({ answer: delivery.answer, mayLand });
          else {
            mayLand ||= delivery === 'silent';
            if (number < ATTEMPTS) attempt(number + 1);
            else done({ mayLand });
          }
        },
        isChange,
      );
    };
    attempt(1);
  }
}

function highestIn(looks: Operation['looks']): LamportTime {
  return [...looks.values()].map((look) => (look.state === 'seen' ? (look.version ?? 0) : 0)).reduce(laterOf, 0);
}
