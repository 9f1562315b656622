import type { Disk } from '../../src/kernel/index.js';
import type { GroupOp, GroupOutcome } from '../../src/modules/groups/core/group-history.js';
import { GroupStore, type GroupStoreOptions } from '../../src/modules/groups/group-store.js';
import { GroupModel } from './group-model.js';
import { PROMPT_TIMERS } from './prompt-timers.js';
import { RecordingLog } from './recording-log.js';
import { RecordingProcessControl } from './recording-process-control.js';
import { SeededRandom } from './seeded-random.js';
import { SimulatedClock } from './simulated-clock.js';
import { SimulatedDisk } from './simulated-disk.js';

export const GROUP_DIRECTORY = '/replica/groups';
/** A snapshot of groups, or one that is being written. */
export const GROUP_SNAPSHOT = /\/groups-\d{16}-\d{6}\.json(\.tmp)?$/;

/** One group store on one simulated disk over many processes. */
export class GroupWorld {
  readonly disk: SimulatedDisk;
  readonly clock = new SimulatedClock();
  readonly log = new RecordingLog();
  process = new RecordingProcessControl();
  private current: GroupStore | undefined;
  private made = 0;

  constructor(
    readonly random: SeededRandom = new SeededRandom(1),
    private readonly options: Partial<GroupStoreOptions> & { readonly spoilDisk?: (disk: Disk) => Disk } = {},
  ) {
    this.disk = new SimulatedDisk(random);
  }

  get store(): GroupStore {
    if (this.current === undefined) throw new Error('no store was opened');
    return this.current;
  }

  async open(): Promise<GroupStore> {
    const { log, clock } = this;
    const { spoilDisk = (disk: Disk) => disk, ...options } = this.options;
    this.process = new RecordingProcessControl();
    const ports = {
      ...{
        log,
        clock,
        nextTurn: setImmediate,
        timers: PROMPT_TIMERS,
        process: this.process,
        disk: spoilDisk(this.disk.attach()),
      },
      crashSites: { reach: () => undefined },
    };
    this.current = await GroupStore.open(ports, {
      ...{ directory: GROUP_DIRECTORY, snapshotEveryBytes: 1_000_000, journalReserveBytes: 0 },
      ...options,
    });
    return this.current;
  }

  async reopenAfterPowerLoss(): Promise<GroupStore> {
    this.disk.losePower();
    return this.open();
  }

  create(groupId: string, id = this.newId()): Promise<GroupOutcome> {
    return this.store.apply({ type: 'do', id, kind: 'create', groupId });
  }

  remove(groupId: string, id = this.newId()): Promise<GroupOutcome> {
    return this.store.apply({ type: 'do', id, kind: 'delete', groupId });
  }

  undoCreate(groupId: string, id: string): Promise<GroupOutcome> {
    return this.store.apply({ type: 'undo', id, kind: 'create', groupId });
  }

  newId(): string {
    this.made += 1;
    return `op-${String(this.made)}`;
  }

  /** The newest one; empty when there is none. */
  get snapshotPath(): string {
    const paths = [...this.disk.image().keys()].filter((path) => GROUP_SNAPSHOT.test(path) && path.endsWith('.json'));
    return paths.sort().at(-1) ?? '';
  }

  get segments(): readonly string[] {
    return [...this.disk.image().keys()].filter((path) => path.endsWith('.log'));
  }
}

/** What clients were told, one after the other, and what may therefore stand on the disk. */
export class GroupWitness {
  private acknowledged = new GroupModel();
  private readonly ops: GroupOp[] = [];
  /** Not answered: it may have been done. */
  private doubtful: GroupOp | undefined;

  answered(op: GroupOp, outcome: GroupOutcome): string | undefined {
    const recorded = asRecorded(op);
    const expected = this.acknowledged.apply(recorded, 0);
    this.ops.push(recorded);
    return JSON.stringify(outcome) === JSON.stringify(expected)
      ? undefined
      : `${JSON.stringify(op)} was answered ${JSON.stringify(outcome)} and not ${JSON.stringify(expected)}`;
  }

  lost(op: GroupOp): void {
    this.doubtful = asRecorded(op);
  }

  /** What a restart found; what was in doubt is settled by it. */
  found(store: Pick<GroupStore, 'all' | 'version'>): string | undefined {
    const shown = stateOf(store);
    const without = stateOf(this.acknowledged);
    const { doubtful } = this;
    this.doubtful = undefined;
    if (shown === without) return undefined;
    if (doubtful === undefined) return `${shown} is there and not ${without}`;
    this.ops.push(doubtful);
    this.acknowledged = new GroupModel();
    for (const op of this.ops) this.acknowledged.apply(op, 0);
    const having = stateOf(this.acknowledged);
    return shown === having ? undefined : `${shown} is there and neither ${without} nor ${having}`;
  }
}

const asRecorded = (op: GroupOp): GroupOp => (op.type === 'do' ? { ...op, rules: 2 } : op);

const stateOf = (groups: Pick<GroupStore, 'all' | 'version'>): string => JSON.stringify([groups.all(), groups.version]);
