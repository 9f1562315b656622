import pLimit from 'p-limit';
import { AppError, type Clock, type CrashSites, type Disk, type LamportTime, type Random } from '../../kernel/index.js';
import { NO_CRASH_SITES } from '../../platform/crash-sites/index.js';
import { NodeDisk } from '../../platform/disk/index.js';
import { NodeClient } from '../../platform/node-client/index.js';
import { systemClock, systemRandom, uuids } from '../../platform/process/index.js';
import { newIntent, type Intent, type Wanted } from './core/intent.js';
import { inOrder, isSameNode, parseNode } from './core/node-order.js';
import type { Input, UnknownRule } from './core/operation.js';
import {
  type GroupReading,
  type ListReading,
  type OpenOperation,
  type OperationReport,
  type RepairReport,
  reportOf,
  type StatusReading,
} from './reports.js';
import type { IntentFiles } from './shell/intent-files.js';
import { type HeldIntents, IntentStore } from './shell/intent-store.js';
import { callNode, type CallOptions, type CallPorts, type Spent } from './shell/node-calls.js';
import type { Ask } from './shell/node-requests.js';
import { listGroups, readGroup, statusOf } from './shell/queries.js';
import { raiseNodes } from './shell/raise-nodes.js';
import { type Progress, runOperation } from './shell/run-operation.js';

export interface ClusterOptions {
  /** Each is `host:port`, in any order. All clients of a cluster must name the same nodes. */
  readonly nodes: readonly string[];
  /** Keeps open operations, so that a client can finish them after a crash. Many clients may share it. */
  readonly directory: string;
  /** How long a call to a node is retried, in milliseconds since the first attempt; 3,000 by default. */
  readonly patienceMs?: number;
  /** The maximum number of attempts per call; by default only `patienceMs` limits them. */
  readonly attempts?: number;
  /** The deadline of one attempt, in milliseconds; 2,000 by default. */
  readonly deadlineMs?: number;
  /** The first wait between attempts is random, up to this many milliseconds, and doubles; 100 by default. */
  readonly backoffMs?: number;
  /** The longest wait between attempts, unless a node asks for a longer one, in milliseconds; 1,000 by default. */
  readonly maxBackoffMs?: number;
  /** How many nodes are called at the same time; 64 by default. */
  readonly concurrency?: number;
  /** Sent to every node as `X-Api-Key`. */
  readonly apiKey?: string;
  /** Notified of every step at every node. */
  readonly onProgress?: (progress: Progress) => void;
}

export interface ClusterPorts extends CallPorts {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
}

const MAX_GROUP_ID_LENGTH = 255;
const FOLDERS = ['.', '..'];
/** Nodes remember operations for a day; the remaining hour allows for clock differences. */
const FORGOTTEN_AFTER_MS = 23 * 3_600_000;
/** Longer than any call that a client still waits for. */
const UNDER_WAY_MS = 60_000;
const MAX_MS = 2 ** 31 - 1;
const NUMBERS = [
  ['attempts', 1],
  ['deadlineMs', 1],
  ['concurrency', 1],
  ['patienceMs', 0],
  ['backoffMs', 0],
  ['maxBackoffMs', 0],
] as const;
const CHANCES = 2 ** 32;

/**
 * Keeps groups in step on a set of nodes: a group is created or deleted on all nodes or on none, although calls fail, nodes crash
 * and this process may crash midway. The client knows the nodes only by their HTTP API (`/v1/group`, `/v1/groups`).
 *
 * `create`, `delete` and `clear` resolve with a report of any outcome. They reject only for an invalid group id
 * (`validation-failed`) or when the intent cannot be kept on this machine's disk. The intent is durable before a node is asked
 * for anything. The next operation or `repair` of any client on the same directory finishes what a crashed process left open.
 */
export class ClusterClient {
  private readonly running = new Set<string>();
  private readonly ending = new Set<Promise<unknown>>();
  private isClosed = false;
  /** Serializes repairs and reads of open operations. */
  private turns: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly ports: ClusterPorts,
    private readonly options: ClusterOptions,
    /** In the order that all clients agree on. The first node decides. */
    readonly nodes: readonly string[],
    private readonly store: IntentStore,
    private readonly own: HeldIntents,
    private readonly newId: () => string,
  ) {}

  /** Calls no node yet. Rejects with `misconfigured` for an invalid node list or number. */
  static async open(options: ClusterOptions, ports: ClusterPorts = systemPorts()): Promise<ClusterClient> {
    const given: unknown = options.nodes;
    if (!Array.isArray(given) || given.length === 0) refuse('nodes must be a list of host:port, at least one');
    const addresses = options.nodes.map(
      (text) => parseNode(String(text)) ?? refuse(`"${String(text)}" is not host:port`),
    );
    for (const [name, least] of NUMBERS) {
      const value = options[name];
      if (value === undefined || (Number.isSafeInteger(value) && value >= least && value <= MAX_MS)) continue;
      refuse(`${name} must be a whole number from ${String(least)} to ${String(MAX_MS)}`);
    }
    const newId = uuids(ports);
    const store = new IntentStore(ports, options.directory, newId);
    return new ClusterClient(ports, options, inOrder(addresses), store, await store.begin(), newId);
  }

  /** Creates the group on all nodes or on none. Refused when a node already has the group, which stays as it is. */
  async create(groupId: string): Promise<OperationReport> {
    return this.run({ kind: 'create', groupId: checkedNewGroupId(groupId) });
  }

  /** Deletes the group from all nodes or from none. A node without the group counts as done; refused when no node has it. */
  async delete(groupId: string): Promise<OperationReport> {
    return this.run({ kind: 'delete', groupId: checkedGroupId(groupId) });
  }

  /** Deletes all groups, from all nodes or from none. */
  clear(): Promise<OperationReport> {
    return this.run({ kind: 'clear' });
  }

  async get(groupId: string): Promise<GroupReading> {
    return readGroup(this.nodes, this.asking(), checkedGroupId(groupId), this.newId());
  }

  list(): Promise<ListReading> {
    return listGroups(this.nodes, this.asking());
  }

  async status(): Promise<StatusReading> {
    this.assertOpen();
    const open = await this.inTurn(() => this.openNow());
    return { nodes: await statusOf(this.nodes, this.asking(), this.newId()), ...open };
  }

  /**
   * Resumes every open operation that a client of this directory left: undoes it on all nodes, or completes it on all when
   * only the answer of a node that does not know operation ids is missing. `unknown` says what to do at such a node when the
   * others are undone and the group exists there: `leave-open` (the default), `undo` it as this operation's, or `leave` it as
   * another client's. `leave` also gives up everything that cannot be finished, even when nodes are gone for good. With
   * `operationId` only that operation is repaired, and nothing else happens.
   *
   * Afterwards `repair` raises nodes that lag or are new to the version that a majority of the nodes has met; it reports a
   * version that fewer nodes have met, and does not spread it. `raiseTo` replaces that goal when a person knows the right
   * version.
   */
  async repair(
    unknown: UnknownRule = 'leave-open',
    operationId?: string,
    raiseTo?: LamportTime,
  ): Promise<RepairReport> {
    this.assertOpen();
    return this.inTurn(async () => {
      const repaired = await this.repairNow(unknown, operationId);
      if (operationId !== undefined) return { ...repaired, versions: [] };
      return { ...repaired, versions: await raiseNodes(this.nodes, this.asking(), this.newId(), raiseTo) };
    });
  }

  /** Waits for running operations; no call may follow. Open operations stay for the next client. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    while (this.ending.size > 0) await Promise.allSettled(this.ending);
    await this.turns;
    await this.own.release();
  }

  private run(wanted: Wanted): Promise<OperationReport> {
    this.assertOpen();
    const ended = this.runNow(wanted).finally(() => this.ending.delete(ended));
    this.ending.add(ended);
    return ended;
  }

  private async runNow(wanted: Wanted): Promise<OperationReport> {
    const { repaired } = await this.inTurn(() => this.repairNow('leave-open'));
    const startedMs = this.ports.elapsedMs();
    const intent = newIntent(this.newId(), wanted, this.nodes, this.ports.clock.nowMs());
    const obstacle = repaired.find((report) => report.outcome === 'open' && this.isInTheWay(report, wanted));
    if (obstacle !== undefined) {
      const reason = `operation ${obstacle.operationId} on it is still open: ${obstacle.reason ?? ''}`;
      const spent = new Map<string, Spent>();
      return reportOf({ intent, outcome: 'refused', reason, spent }, this.ports.elapsedMs() - startedMs, repaired);
    }
    this.running.add(intent.id);
    try {
      const ended = await this.carryOut(this.own.files, intent, { type: 'begin' });
      return reportOf(ended, this.ports.elapsedMs() - startedMs, repaired);
    } finally {
      this.running.delete(intent.id);
    }
  }

  /** Whether `open` concerns the same groups on some of the same nodes and can still be finished. */
  private isInTheWay(open: OperationReport, wanted: Wanted): boolean {
    const isOnThese = open.nodes.some(({ node }) => this.nodes.some((own) => isSameNode(own, node)));
    return isOnThese && !open.isForgotten && isSameMatter(wanted, open.wanted);
  }

  private assertOpen(): void {
    if (this.isClosed) throw new AppError('shutting-down', 'this cluster client is closed', { retry: 'never' });
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.turns.then(work);
    this.turns = turn.catch(() => undefined);
    return turn;
  }

  private async openNow(): Promise<Omit<StatusReading, 'nodes'>> {
    const { held, others } = await this.store.orphans();
    try {
      const open = (await Promise.all([this.own, ...held].map(({ files }) => this.leftOpen(files)))).flat();
      return { open: open.map(openOperationOf), withOthers: others.map(openOperationOf) };
    } finally {
      await releaseAll(held);
    }
  }

  private async repairNow(unknown: UnknownRule, operationId?: string): Promise<Omit<RepairReport, 'versions'>> {
    const { held, others } = await this.store.orphans();
    try {
      const open = await Promise.all(
        [this.own, ...held].map(async ({ files }) => (await this.leftOpen(files)).map((intent) => ({ files, intent }))),
      );
      const chosen = open.flat().filter(({ intent }) => operationId === undefined || intent.id === operationId);
      const repaired = await Promise.all(chosen.map((one) => this.resume(one, unknown)));
      const left = repaired.filter(({ outcome }) => outcome === 'open').length;
      return { repaired, open: left, withOthers: others.map(openOperationOf) };
    } finally {
      await releaseAll(held);
    }
  }

  /** Reads twice: an operation that ends during the first read has disappeared or changed at the second. */
  private async leftOpen(files: IntentFiles): Promise<readonly Intent[]> {
    const isOpen = new Set((await files.all()).map(({ id }) => id).filter((id) => !this.running.has(id)));
    return isOpen.size === 0 ? [] : (await files.all()).filter(({ id }) => isOpen.has(id));
  }

  private async resume(
    { files, intent }: { readonly files: IntentFiles; readonly intent: Intent },
    unknown: UnknownRule,
  ): Promise<OperationReport> {
    const startedMs = this.ports.elapsedMs();
    const ageMs = this.ports.clock.nowMs() - intent.startedAtMs;
    const age = { isForgotten: ageMs > FORGOTTEN_AFTER_MS, mayBeUnderWay: ageMs < UNDER_WAY_MS };
    const ended = await this.carryOut(files, intent, { type: 'resume', unknown, ...age });
    const report = reportOf(ended, this.ports.elapsedMs() - startedMs);
    return age.isForgotten ? { ...report, isForgotten: true } : report;
  }

  private carryOut(files: IntentFiles, intent: Intent, first: Input): ReturnType<typeof runOperation> {
    const asking = this.asking();
    const { onProgress } = this.options;
    return runOperation(
      { intents: files, ...(onProgress && { onProgress }), call: (node, call, spent) => asking(node, spent)(call) },
      intent,
      first,
    );
  }

  /** Limits concurrent calls over all nodes. */
  private asking(): (node: string, spent?: Spent) => Ask {
    const limit = pLimit(this.options.concurrency ?? 64);
    const options = callOptions(this.options);
    return (node, spent) => (call) => limit(() => callNode(this.ports, options, node, call, spent));
  }
}

/** `crashSites` is for fault tests. */
export function systemPorts(crashSites: CrashSites = NO_CRASH_SITES): ClusterPorts {
  const client = new NodeClient();
  return {
    crashSites,
    call: (...call) => client.call(...call),
    disk: new NodeDisk(),
    clock: systemClock,
    random: systemRandom,
    chance: () => new DataView(systemRandom.bytes(4).buffer).getUint32(0) / CHANCES,
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    elapsedMs: () => performance.now(),
  };
}

function callOptions({
  patienceMs = 3_000,
  attempts,
  deadlineMs = 2_000,
  backoffMs = 100,
  maxBackoffMs = 1_000,
  apiKey,
}: ClusterOptions): CallOptions {
  return {
    ...{ patienceMs, deadlineMs, backoff: { baseMs: backoffMs, maxMs: maxBackoffMs } },
    ...(attempts !== undefined && { attempts }),
    ...(apiKey !== undefined && { apiKey }),
  };
}

function checkedGroupId(groupId: unknown): string {
  if (isGroupId(groupId)) return groupId;
  throw noGroupId(`must be a string of 1 to ${String(MAX_GROUP_ID_LENGTH)} characters, well-formed Unicode`);
}

/** Ids that only earlier builds accepted can still be read and deleted. */
function checkedNewGroupId(groupId: unknown): string {
  const checked = checkedGroupId(groupId);
  if (!FOLDERS.includes(checked)) return checked;
  throw noGroupId('must not be "." or "..", which no client could read by its path');
}

function noGroupId(message: string): AppError {
  const fields = [{ field: 'groupId', message }];
  return new AppError('validation-failed', `groupId ${message}`, { retry: 'never', fields });
}

function isGroupId(value: unknown): value is string {
  return typeof value === 'string' && value.length >= 1 && value.length <= MAX_GROUP_ID_LENGTH && value.isWellFormed();
}

function openOperationOf({ id, wanted, startedAtMs }: Intent): OpenOperation {
  return { operationId: id, wanted, startedAtMs };
}

function isSameMatter(left: Wanted, right: Wanted): boolean {
  return left.kind === 'clear' || right.kind === 'clear' || left.groupId === right.groupId;
}

async function releaseAll(held: readonly HeldIntents[]): Promise<void> {
  await Promise.all(held.map((intents) => intents.release()));
}

function refuse(message: string): never {
  throw new AppError('misconfigured', message, { retry: 'never' });
}
