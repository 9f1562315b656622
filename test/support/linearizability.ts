/** The register before its first write and after its deletion. */
export const ABSENT = null;
export type RegisterValue = string | typeof ABSENT;

/** Its times are of one monotonic clock, in milliseconds. */
export interface RegisterOperation {
  readonly client: string;
  /** A write of `ABSENT` is a deletion. */
  readonly kind: 'read' | 'write';
  readonly value: RegisterValue;
  readonly beganAt: number;
  /** Infinity: no answer said that the write is done, so it may or may not have taken effect. */
  readonly answeredAt: number;
}

/** One value with everything that was done with it. */
interface Cluster {
  readonly write: RegisterOperation;
  firstAnswer: RegisterOperation;
  lastStart: RegisterOperation;
}

const INITIAL: RegisterOperation = {
  ...({ client: 'nobody', kind: 'write', value: ABSENT } as const),
  ...{ beganAt: -Infinity, answeredAt: -Infinity },
};

/**
 * Checks that a history of one register is linearizable, given that each value was written once: by zones, as in Gibbons and
 * Korach, "Testing Shared Memories" (SIAM Journal on Computing 26, 1997), in O(n log n). A history of many registers is
 * linearizable when each of them is (Herlihy and Wing, 1990).
 *
 * In an order that explains the history, the operations on one value are neighbours. Value A must come before value B when some
 * operation on A was answered before some operation on B began. The zone of a value reaches from the first answer among its
 * operations to the last start, so A must come before B exactly when A's zone begins before B's zone ends. The history is
 * linearizable exactly when no two values must each come before the other, each value that was read was written, and no read was
 * answered before the write of its value began.
 *
 * Returns one sentence for each wrong read that it meets, and at least one when there is any. The register is absent at first. It
 * may be deleted once, and written afterwards. Reads without an answer say nothing and are left out. Throws when two writes
 * have the same value.
 */
export function linearizabilityViolations(history: readonly RegisterOperation[]): string[] {
  const { clusters, violations } = clustersOf(history);
  // Nobody has read such a value, and nobody acknowledged its write: it may never have been there.
  const zones = clusters.filter((zone) => beginOf(zone) !== Infinity);
  const forward = zones.filter(isForward).toSorted((a, b) => beginOf(a) - beginOf(b));
  const reaching = withReach(forward);
  const stale = new Map<RegisterOperation, string>();
  forward.forEach((zone, index) => {
    noteConflict(zone, reaching[index - 1], stale);
  });
  for (const zone of zones) {
    if (!isForward(zone)) noteConflict(zone, reaching[countBefore(forward, endOf(zone)) - 1], stale);
  }
  return [...violations, ...stale.values()];
}

const beginOf = ({ firstAnswer }: Cluster): number => firstAnswer.answeredAt;
const endOf = ({ lastStart }: Cluster): number => lastStart.beganAt;
const isForward = (zone: Cluster): boolean => beginOf(zone) < endOf(zone);

/** For each index the zone that ends last, of those up to there. */
function withReach(zones: readonly Cluster[]): readonly Cluster[] {
  const reaching: Cluster[] = [];
  for (const zone of zones) {
    const last = reaching.at(-1);
    reaching.push(last !== undefined && endOf(last) >= endOf(zone) ? last : zone);
  }
  return reaching;
}

/** How many of the zones, in the order of their begins, begin before `time`. */
function countBefore(zones: readonly Cluster[], time: number): number {
  let [low, high] = [0, zones.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (beginOf(zones[middle]!) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Notes the stale read of two values of which each must come before the other. */
function noteConflict(one: Cluster, other: Cluster | undefined, stale: Map<RegisterOperation, string>): void {
  if (other === undefined || beginOf(one) >= endOf(other) || beginOf(other) >= endOf(one)) return;
  // A value's first answer never comes before its write begins, so the last start of the two is a read.
  const [older, newer] = endOf(one) > endOf(other) ? [one, other] : [other, one];
  const read = older.lastStart;
  if (stale.has(read)) return;
  const newerBegan = newer.lastStart === newer.firstAnswer ? '' : `, and ${inWords(newer.lastStart)}`;
  const evidence = `${inWords(newer.firstAnswer)}${newerBegan}, after ${inWords(older.firstAnswer)}`;
  stale.set(read, `${inWords(read)}, which is stale: ${evidence}`);
}

function clustersOf(history: readonly RegisterOperation[]): {
  readonly clusters: Cluster[];
  readonly violations: string[];
} {
  const written = new Map<RegisterValue, Cluster>();
  for (const write of history) {
    if (write.kind === 'read' || write.value === ABSENT) continue;
    if (written.has(write.value)) throw new Error(`"${write.value}" was written twice`);
    written.set(write.value, clusterOf(write));
  }
  const deletion = deletionOf(history);
  if (deletion) written.set(ABSENT, clusterOf(deletion));
  const initial = clusterOf(INITIAL);
  const reads = history.filter(({ kind, answeredAt }) => kind === 'read' && answeredAt !== Infinity);
  const firstChange = firstChangeOf(history, reads);
  const violations = reads.flatMap((read) => {
    // A read of nothing can come before everything else exactly when nothing else was answered before it began.
    const isInitial = read.value === ABSENT && (deletion === undefined || read.beganAt <= firstChange);
    return join(isInitial ? initial : written.get(read.value), read);
  });
  return { clusters: [initial, ...written.values()], violations };
}

function clusterOf(write: RegisterOperation): Cluster {
  return { write, firstAnswer: write, lastStart: write };
}

/** Takes the read into the zone of its value, if the value can have been read. */
function join(cluster: Cluster | undefined, read: RegisterOperation): string[] {
  if (cluster === undefined) return [`${inWords(read)}, which no client has written`];
  if (read.answeredAt < cluster.write.beganAt) return [`${inWords(read)}, before ${inWords(cluster.write)}`];
  if (read.answeredAt < beginOf(cluster)) cluster.firstAnswer = read;
  if (read.beganAt > endOf(cluster)) cluster.lastStart = read;
  return [];
}

/** One deletion takes effect: the acknowledged one, or at the earliest the first of those without an answer. */
function deletionOf(history: readonly RegisterOperation[]): RegisterOperation | undefined {
  const deletions = history
    .filter(({ kind, value }) => kind === 'write' && value === ABSENT)
    .toSorted((a, b) => a.beganAt - b.beganAt);
  const acknowledged = deletions.filter(({ answeredAt }) => answeredAt !== Infinity);
  if (acknowledged.length > 1) throw new Error('the register was deleted twice');
  return acknowledged[0] ?? deletions[0];
}

/** When the first answer came that shows the register written. */
function firstChangeOf(history: readonly RegisterOperation[], reads: readonly RegisterOperation[]): number {
  let first = Infinity;
  const consider = ({ answeredAt }: RegisterOperation): void => void (first = Math.min(first, answeredAt));
  history.filter(({ kind }) => kind === 'write').forEach(consider);
  reads.filter(({ value }) => value !== ABSENT).forEach(consider);
  return first;
}

function inWords({ client, kind, value, beganAt, answeredAt }: RegisterOperation): string {
  if (answeredAt === -Infinity) return 'it was absent at first';
  const times = `from ${beganAt.toFixed(1)} ${answeredAt === Infinity ? 'on, without an answer' : `to ${answeredAt.toFixed(1)} ms`}`;
  if (value !== ABSENT) return `${client} ${kind === 'read' ? 'read' : 'wrote'} "${value}" ${times}`;
  return `${client} ${kind === 'read' ? 'found nothing' : 'deleted it'} ${times}`;
}
