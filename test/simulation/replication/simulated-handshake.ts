import { type Heard, quorumOf, type ReplicaReport } from '../../../src/protocols/replication/index.js';
import type { Opener } from './cluster.js';
import type { Reply, Sent } from './simulated-network.js';

const ANSWER_WITHIN_MS = 150;
const RETRY_MS = 200;

/** The handshake of a primary process, and the operator's recovery after a refusal. */
export function handshake(primary: Opener): void {
  const forks: string[] = [];
  askAll(primary, { question: { kind: 'report' } }, (heard) => {
    consider(primary, heard, forks);
  });
}

function consider(primary: Opener, heard: Heard, forks: readonly string[]): void {
  const { store, primaryId, world } = primary;
  const { clusterId, position } = store;
  const own = { clusterId: store.durable === 0 ? undefined : clusterId, position, primaryId, forks };
  const decision = world.variant.decideHandshake(own, heard, world.replicas.length, world.minInSync);
  world.met.add(decision.kind);
  switch (decision.kind) {
    case 'open':
      primary.open(decision.epoch);
      return;
    case 'wait':
    case 'wait-for-all':
      primary.after(RETRY_MS, () => {
        handshake(primary);
      });
      return;
    case 'ask-promises': {
      const message = { kind: 'promise', from: { epoch: decision.epoch, primaryId } } as const;
      askAll(primary, { message }, (promised) => {
        const next = { ...heard, ...promised };
        const isEnough = Object.keys(promised).length >= quorumOf(world.replicas.length, world.minInSync);
        if (isEnough) consider(primary, next, forks);
        else {
          primary.after(RETRY_MS + world.random.below(RETRY_MS), () => {
            handshake(primary);
          });
        }
      });
      return;
    }
    case 'pull':
      pull(primary, decision.replica, heard, forks);
      return;
    case 'refuse':
      recover(primary);
  }
}

function pull(primary: Opener, name: string, heard: Heard, forks: readonly string[]): void {
  const { store, world } = primary;
  const question = { kind: 'records', afterSeq: store.durable } as const;
  primary.ask(world.replica(name), { question }, ANSWER_WITHIN_MS, (reply) => {
    if (reply?.kind !== 'records') {
      handshake(primary);
      return;
    }
    const [first] = reply.records ?? [];
    const isContinuation = first && world.follows(store.position, first);
    if (!isContinuation) {
      consider(primary, heard, [...forks, name]);
      return;
    }
    store.append(reply.records!);
    primary.after(world.fsyncMs(), () => {
      store.durable = store.log.length;
      handshake(primary);
    });
  });
}

/** `npm run recover:from-replicas`. */
function recover(primary: Opener): void {
  const { world } = primary;
  askAll(primary, { question: { kind: 'report' } }, (heard) => {
    const epoch = 1 + Math.max(0, ...Object.values(heard).map(({ promisedEpoch }) => promisedEpoch));
    const message = { kind: 'promise', from: { epoch, primaryId: `recovery-${primary.primaryId}` } } as const;
    askAll(primary, { message }, (answers) => {
      const promised = Object.entries(answers).filter(
        ([, report]) => report.promisedEpoch === epoch && report.promisedPrimaryId === message.from.primaryId,
      );
      const choice = world.variant.chooseRecovery(Object.fromEntries(promised), world.replicas.length, world.minInSync);
      world.met.add(choice.kind);
      world.isUnrecoverable = choice.kind === 'refuse';
      if (choice.kind === 'restore') restore(primary, choice.replica);
      else {
        primary.after(RETRY_MS, () => {
          recover(primary);
        });
      }
    });
  });
}

function restore(primary: Opener, name: string): void {
  const { store, world } = primary;
  primary.ask(world.replica(name), { question: { kind: 'copy' } }, ANSWER_WITHIN_MS, (reply) => {
    if (reply?.kind !== 'copy') {
      recover(primary);
      return;
    }
    store.quarantine();
    store.replaceBy(reply.store, reply.store.durable);
    if (world.random.chance(0.5)) store.firstSeq = reply.store.firstSeq;
    handshake(primary);
  });
}

/** All answers that arrive in time, by replica. */
function askAll(primary: Opener, sent: Sent, done: (heard: Heard) => void): void {
  const heard: Record<string, ReplicaReport> = {};
  let open = primary.world.replicas.length;
  if (open === 0) done(heard);
  for (const replica of primary.world.replicas) {
    primary.ask(replica, sent, ANSWER_WITHIN_MS, (reply) => {
      const report = reply && reportIn(reply);
      if (report) heard[replica.name] = report;
      open -= 1;
      if (open === 0) done(heard);
    });
  }
}

function reportIn(reply: Reply): ReplicaReport | undefined {
  if (reply.kind === 'report') return reply.report;
  return reply.kind === 'answer' ? reply.answer.report : undefined;
}
