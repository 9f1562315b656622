import {
  countSlots,
  type Lack,
  nameOf,
  type NodeView,
  rangeName,
  type RedisEndpoint,
  type SlotRange,
  SLOTS,
} from './node-view.js';

/**
 * Decides what is left to do until the given nodes are one cluster of masters and as many replicas. Invariant: a slot that a
 * node claims, or that a node sees at one that does not answer, keeps its master, and a replica keeps its master, so a cluster that was
 * formed once is only joined again.
 * Steps may repeat; the caller looks again after each round.
 */

export type ClusterStep =
  | { readonly kind: 'meet'; readonly at: RedisEndpoint; readonly other: RedisEndpoint }
  | { readonly kind: 'add-slots'; readonly at: RedisEndpoint; readonly slots: readonly SlotRange[] }
  | { readonly kind: 'replicate'; readonly at: RedisEndpoint; readonly masterId: string }
  | { readonly kind: 'forget'; readonly at: RedisEndpoint; readonly id: string };

/** `views` are those of the nodes that answer, in the order of `endpoints`. */
export function planCluster(endpoints: readonly RedisEndpoint[], views: readonly NodeView[]): readonly ClusterStep[] {
  const meetings = meetingsOf(views);
  if (views.length < endpoints.length) return meetings;
  const lost = lostNodesOf(views);
  if (lost.length > 0) {
    return [
      ...meetings,
      ...views.flatMap(({ endpoint, known }) =>
        lost.filter((id) => known.has(id)).map((id) => ({ kind: 'forget', at: endpoint, id }) as const),
      ),
    ];
  }
  return [...meetings, ...slotsToAdd(views), ...replicasToBe(views)];
}

/**
 * Why the given nodes are not one whole cluster yet, with the name of each node that lacks something; undefined when they are.
 * `refusals`: those of the nodes that answer and tell nothing.
 */
export function missingOf(
  endpoints: readonly RedisEndpoint[],
  views: readonly NodeView[],
  refusals: ReadonlyMap<RedisEndpoint, Lack> = new Map(),
): string | undefined {
  const unseen = endpoints
    .filter((endpoint) => !views.some((view) => view.endpoint === endpoint))
    .map((endpoint) => [endpoint, refusals.get(endpoint) ?? SILENT] as const);
  // What the rest says then follows from that.
  const lacks = unseen.length > 0 ? unseen : views.map((view) => [view.endpoint, lackOf(view, views)] as const);
  const known = lacks.flatMap(([endpoint, lack]) => (lack === undefined ? [] : [{ name: nameOf(endpoint), lack }]));
  const texts = [...Map.groupBy(known, ({ lack }) => lack[0]).values()].map((alike) => {
    const [one = '', several = ''] = alike[0]?.lack ?? [];
    return `${alike.map(({ name }) => name).join(', ')} ${alike.length === 1 ? one : several}`;
  });
  if (texts.length === 0) return undefined;
  const areAllKnown = unseen.length === 0 && views.every((view) => strangersTo(view, views).length === 0);
  const isAssigned = assignedIn(views);
  if (!areAllKnown || !isAssigned.includes(0)) return texts.join('; ');
  const unserved = rangesOf((slot) => isAssigned[slot] === 0);
  return `slots ${unserved.map(rangeName).join(', ')} are served by no node`;
}

const SILENT: Lack = ['does not answer', 'do not answer'];

function lackOf(view: NodeView, views: readonly NodeView[]): Lack | undefined {
  const strangers = strangersTo(view, views);
  if (strangers.length > 0) {
    const names = strangers.map(({ endpoint }) => nameOf(endpoint)).join(', ');
    return [`does not know ${names}`, `do not know ${names}`];
  }
  const covered = coveredIn(view);
  if (covered < SLOTS) {
    const what = `a master for ${String(covered)} of ${String(SLOTS)} slots`;
    return [`knows ${what}`, `know ${what}`];
  }
  if (!view.isClusterOk) return ['does not serve yet', 'do not serve yet'];
  if (!view.isLinkUp) return ['does not follow its master yet', 'do not follow their masters yet'];
  const isNeither = view.itself.masterId === undefined && countSlots(view.itself.slots) === 0;
  return isNeither ? ['is neither master nor replica', 'are neither masters nor replicas'] : undefined;
}

/**
 * The first node introduces those that it does not know; one that CLUSTER RESET emptied is introduced to the first, which still knows
 * it. Each node learns the new address of one that it knows elsewhere.
 */
function meetingsOf(views: readonly NodeView[]): ClusterStep[] {
  const [first] = views;
  return views.flatMap((view) =>
    views
      .filter((other) => {
        const { itself, endpoint } = other;
        if (itself.id === view.itself.id) return false;
        if (view.known.has(itself.id)) return !isKnownAt(view, itself.id, endpoint);
        return view === first || (other === first && wasEmptied(view, first));
      })
      .map(({ endpoint }) => ({ kind: 'meet', at: view.endpoint, other: endpoint }) as const),
  );
}

/** A node that is new to the first one has neither slots nor a master there. */
function wasEmptied({ known, itself }: NodeView, first: NodeView): boolean {
  const seen = first.known.get(itself.id);
  return known.size === 1 && seen !== undefined && (seen.slots.length > 0 || seen.masterId !== undefined);
}

function strangersTo(view: NodeView, views: readonly NodeView[]): readonly NodeView[] {
  return views.filter(({ itself, endpoint }) => !isKnownAt(view, itself.id, endpoint));
}

function isKnownAt({ known, itself }: NodeView, id: string, { port }: RedisEndpoint): boolean {
  const node = known.get(id);
  return node !== undefined && (id === itself.id || (node.endpoint.port === port && !node.flags.includes('handshake')));
}

function coveredIn({ known }: NodeView): number {
  const masters = [...known.values()].filter(({ flags }) => !flags.includes('fail'));
  return masters.reduce((sum, { slots }) => sum + countSlots(slots), 0);
}

/**
 * The ids of nodes that lost their files and came back as others at the same address. One with slots and a living replica is not
 * lost yet: its replica takes over first.
 */
function lostNodesOf(views: readonly NodeView[]): readonly string[] {
  const living = new Set(views.map(({ itself }) => itself.id));
  const ports = new Set(views.map(({ endpoint }) => endpoint.port));
  const lost = views
    .flatMap(({ known }) => [...known.values()])
    .filter(({ id, flags, endpoint }) => !living.has(id) && !flags.includes('handshake') && ports.has(endpoint.port));
  const isFollowed = (id: string): boolean => views.some(({ itself }) => itself.masterId === id);
  return [...new Set(lost.map(({ id }) => id))].filter((id) => !isFollowed(id));
}

/**
 * Per slot, 1 when a node has it. What others say counts only of a node that does not answer: they still see the slots of a master
 * that CLUSTER RESET emptied.
 */
function assignedIn(views: readonly NodeView[]): Uint8Array {
  const living = new Set(views.map(({ itself }) => itself.id));
  const silent = views.flatMap(({ known }) => [...known.values()].filter(({ id }) => !living.has(id)));
  const isAssigned = new Uint8Array(SLOTS);
  for (const [first, last] of [...views.map(({ itself }) => itself), ...silent].flatMap(({ slots }) => slots)) {
    isAssigned.fill(1, first, last + 1);
  }
  return isAssigned;
}

/**
 * The slots without a master go to the masters of the first half of the nodes, a third of all slots to each of three. Those that
 * others still see at an emptied master go back to it, because all others refuse them.
 */
function slotsToAdd(views: readonly NodeView[]): ClusterStep[] {
  const isAssigned = assignedIn(views);
  if (!isAssigned.includes(0)) return [];
  const masters = views.slice(0, views.length / 2).map(({ itself, endpoint }) => {
    const masterId = itself.masterId;
    return views.find((view) => view.itself.id === masterId)?.endpoint ?? endpoint;
  });
  const seenAt = new Map<number, RedisEndpoint>();
  for (const { itself, endpoint } of views.filter((view) => view.itself.masterId === undefined)) {
    for (const [first, last] of views.flatMap(({ known }) => known.get(itself.id)?.slots ?? [])) {
      for (let slot = first; slot <= last; slot += 1) seenAt.set(slot, endpoint);
    }
  }
  const newMasterOf = (slot: number): RedisEndpoint | undefined =>
    seenAt.get(slot) ?? masters.findLast((_, index) => slot >= Math.round((index * SLOTS) / masters.length));
  return views.flatMap(({ endpoint: at }) => {
    const slots = rangesOf((slot) => isAssigned[slot] === 0 && newMasterOf(slot) === at);
    return slots.length === 0 ? [] : [{ kind: 'add-slots', at, slots } as const];
  });
}

function rangesOf(isWanted: (slot: number) => boolean): SlotRange[] {
  const ranges: [number, number][] = [];
  for (let slot = 0; slot < SLOTS; slot += 1) {
    if (!isWanted(slot)) continue;
    const last = ranges.at(-1);
    if (last?.[1] === slot - 1) last[1] = slot;
    else ranges.push([slot, slot]);
  }
  return ranges;
}

/** Once all slots are assigned, a node without any follows the master that has fewest replicas, as soon as it knows it. */
function replicasToBe(views: readonly NodeView[]): ClusterStep[] {
  const owned = views.reduce(
    (sum, { itself }) => sum + (itself.masterId === undefined ? countSlots(itself.slots) : 0),
    0,
  );
  if (owned < SLOTS) return [];
  const isMaster = ({ itself }: NodeView): boolean => itself.masterId === undefined && countSlots(itself.slots) > 0;
  const replicas = new Map(views.filter(isMaster).map(({ itself }) => [itself.id, 0]));
  for (const { itself } of views) {
    const count = itself.masterId === undefined ? undefined : replicas.get(itself.masterId);
    if (itself.masterId !== undefined && count !== undefined) replicas.set(itself.masterId, count + 1);
  }
  return views
    .filter(({ itself }) => itself.masterId === undefined && countSlots(itself.slots) === 0)
    .flatMap(({ endpoint, known }) => {
      const [masterId, count] = [...replicas].reduce((least, each) => (each[1] < least[1] ? each : least));
      replicas.set(masterId, count + 1);
      const isKnown = known.get(masterId)?.flags.includes('handshake') === false;
      return isKnown ? [{ kind: 'replicate', at: endpoint, masterId } as const] : [];
    });
}
