import type { CopyableHistory, Timers } from '../../../kernel/index.js';
import type { ReplicaLink } from './replica-link.js';

/** State hashes of this process and of replicas, all after the same record. */
export interface AuditResult {
  readonly own: string;
  readonly replicas: Readonly<Record<string, string>>;
}

interface Round {
  readonly seq: number;
  readonly own: Promise<string>;
  /** Replicas that have not reached `seq`. */
  readonly coming: Set<string>;
  /** Replicas that compute their hashes. */
  readonly asked: Set<string>;
  readonly hashes: Record<string, string>;
  readonly done: (result: AuditResult | undefined) => void;
}

/**
 * Compares states, not only histories: processes that applied the same records must show the same hash. This process captures its
 * state now; each replica captures its own when it has exactly the same records.
 */
export class StateAudit {
  private readonly rounds = new Set<Round>();

  constructor(
    private readonly history: Pick<CopyableHistory, 'captureState'>,
    private readonly timers: Timers,
    /** How long a replica may take to show its hash. */
    private readonly deadlineMs: number,
  ) {}

  /** Resolves when every replica in `names` has shown its hash or failed; undefined when none has shown one. */
  begin(names: readonly string[]): Promise<AuditResult | undefined> {
    if (names.length === 0) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const captured = this.history.captureState();
      const { seq } = captured.position;
      const own = captured.stateHash();
      const round: Round = { seq, own, coming: new Set(names), asked: new Set(), hashes: {}, done: resolve };
      this.rounds.add(round);
      own.catch(() => {
        this.end(round);
      });
      this.timers.after(this.deadlineMs, () => {
        this.end(round);
      });
    });
  }

  /** The last record of the next message to the replica, for a comparison; undefined when any record may be the last. */
  cutFor(name: string, afterSeq: number): number | undefined {
    let cut: number | undefined;
    for (const { seq, coming } of this.rounds) {
      if (coming.has(name) && seq >= afterSeq) cut = Math.min(cut ?? seq, seq);
    }
    return cut;
  }

  /**
   * The replica holds everything through `seq`. It kept its state only for a message that ended at `auditAt`, so a round that
   * began while another was under way continues to wait.
   */
  reached(link: ReplicaLink, seq: number, auditAt: number | undefined): void {
    for (const round of this.rounds) {
      if (!round.coming.has(link.name) || seq < round.seq) continue;
      if (seq === round.seq && auditAt !== round.seq) continue;
      round.coming.delete(link.name);
      round.asked.add(link.name);
      if (seq > round.seq) this.settle(round, link.name, undefined);
      else void this.fetch(round, link);
    }
  }

  /** Discards what this replica has shown or will show in the rounds under way. */
  failed(name: string): void {
    for (const round of this.rounds) {
      delete round.hashes[name];
      this.settle(round, name, undefined);
    }
  }

  private async fetch(round: Round, link: ReplicaLink): Promise<void> {
    const shown = await link.stateHash(round.seq, this.deadlineMs).catch(() => undefined);
    this.settle(round, link.name, shown?.stateHash);
  }

  private end(round: Round): void {
    for (const name of [...round.coming, ...round.asked]) this.settle(round, name, undefined);
  }

  private settle(round: Round, name: string, hash: string | undefined): void {
    const wasComing = round.coming.delete(name);
    const wasAsked = round.asked.delete(name);
    if (!wasComing && !wasAsked) return;
    if (hash !== undefined) round.hashes[name] = hash;
    if (round.coming.size + round.asked.size > 0) return;
    this.rounds.delete(round);
    round.own.then(
      (own) => {
        round.done(Object.keys(round.hashes).length === 0 ? undefined : { own, replicas: round.hashes });
      },
      () => {
        round.done(undefined);
      },
    );
  }
}
