import { isAppError } from '../../src/kernel/index.js';
import type { CopiedHistory } from './copied-history.js';
import { type FollowerWorld, hashOf, inChunks, stateAfter } from './follower-world.js';
import { SimulatedCrash } from './simulated-disk.js';

/** Gives one replica orders, over many processes, and checks that it keeps what it acknowledged. */
export class FollowerIncarnation {
  private promised = 0;
  /** The last acknowledged record that was not quarantined since. */
  private heldSeq = 0;
  private quarantines = 0;
  /** The number of starts so far. */
  private readonly state: string[] = [];

  constructor(
    readonly world: FollowerWorld,
    private readonly history: CopiedHistory,
  ) {}

  async begin(): Promise<void> {
    await this.world.open();
  }

  /** Returns whether the process died. */
  async until(task: (life: FollowerIncarnation) => Promise<void>): Promise<boolean> {
    try {
      if (!this.isOpen) await this.begin();
      await task(this);
      return false;
    } catch (error) {
      if (error instanceof SimulatedCrash || isAppError(error, 'outcome-unknown')) return true;
      throw error;
    }
  }

  /** Ends the process and starts the next one, whose state must remain from now on. */
  async end(isPowerLost: boolean): Promise<void> {
    if (isPowerLost) this.world.disk.losePower();
    else this.world.disk.kill();
    await this.world.open();
    this.state.push(...(await this.audit()));
    const { promise, position } = this.world.follower;
    this.promised = promise?.epoch ?? 0;
    this.heldSeq = position.seq;
  }

  async promise(epoch: number): Promise<void> {
    const { follower } = this.world;
    if (epoch <= (follower.promise?.epoch ?? 0)) return;
    await follower.keepPromise({ epoch });
    this.promised = epoch;
  }

  async follow(count: number): Promise<void> {
    const { follower } = this.world;
    const { seq } = follower.position;
    const records = this.history.records.slice(seq, seq + count);
    await follower.follow(records);
    this.heldSeq = seq + records.length;
  }

  async receiveAndInstall(): Promise<void> {
    const { follower } = this.world;
    await follower.receiveSnapshot(inChunks(this.history.snapshot, 500));
    if (await refused(follower.install())) return;
    this.heldSeq = this.history.snapshotSeq;
  }

  async quarantine(): Promise<void> {
    this.heldSeq = 0;
    const name = await this.world.follower.quarantine();
    if (name !== undefined) this.quarantines += 1;
  }

  async close(): Promise<void> {
    await this.world.follower.close();
    await this.begin();
  }

  /** One sentence for each broken acknowledgement. */
  async audit(): Promise<string[]> {
    const { follower } = this.world;
    const { position, firstSeq } = follower;
    const promised = follower.promise?.epoch ?? 0;
    const expected = this.history.records.slice(0, position.seq);
    const [own, primarys] = [await follower.captureState().stateHash(), await hashOf(stateAfter(expected))];
    const readable = await follower.readFrom(firstSeq, 10_000_000);
    const quarantined = this.world.quarantined().length;
    const state = [
      promised < this.promised && `promised epoch ${String(this.promised)} and is back at ${String(promised)}`,
      position.seq < this.heldSeq && `record ${String(this.heldSeq)} was acknowledged but is lost`,
      position.hash !== (expected.at(-1)?.hash ?? position.hash) && 'its position is not on the primary’s chain',
      own !== primarys && `its state is not the primary’s at record ${String(position.seq)}`,
      JSON.stringify(readable) !== JSON.stringify(expected.slice(firstSeq - 1)) &&
        `its records from ${String(firstSeq)} on are not the primary’s`,
      quarantined < this.quarantines && 'quarantined data is gone',
    ];
    return [...this.state, ...state.filter((finding) => finding !== false)];
  }

  private get isOpen(): boolean {
    try {
      return this.world.follower instanceof Object;
    } catch {
      return false;
    }
  }
}

/** Whether the order was refused without an effect. */
async function refused(answer: Promise<unknown>): Promise<boolean> {
  try {
    await answer;
    return false;
  } catch (error) {
    if (isAppError(error, 'conflict')) return true;
    throw error;
  }
}
