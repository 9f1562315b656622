/** Tells what the next failure would do, before it comes. */

export interface Situation {
  /** Names of the apps, the active one apart; undefined while none serves. */
  readonly active: string | undefined;
  /** The app that waits for the lock. */
  readonly standby: string | undefined;
  readonly replicas: { readonly up: number; readonly all: number; readonly minInSync: number };
  /** Undefined where none is run. */
  readonly gateway: string | undefined;
}

export interface Prospect {
  readonly failureOf: string;
  /** Whether clients of the gateway would see a slow answer at most. */
  readonly isMasked: boolean;
  readonly outcome: string;
}

/** So many replicas must answer before a new active opens: any two such sets and any write have one in common (DESIGN of replication). */
export function replicasToOpen({ all, minInSync }: Situation['replicas']): number {
  return all === 0 ? 0 : all - minInSync + 1;
}

export function prospectsOf(situation: Situation): readonly Prospect[] {
  const { active, standby, replicas, gateway } = situation;
  const { up, all, minInSync } = replicas;
  return [
    appProspect(situation),
    ...(active !== undefined && standby !== undefined
      ? [{ failureOf: standby, isMasked: true, outcome: 'nothing for clients; it is started again' }]
      : []),
    ...(all === 0 ? [] : [replicaProspect(up, all, minInSync, replicasToOpen(replicas))]),
    ...(gateway === undefined
      ? []
      : [
          {
            failureOf: gateway,
            isMasked: false,
            outcome: 'its clients get no answer until it is started again; the app serves',
          },
        ]),
    {
      failureOf: 'The supervisor',
      isMasked: true,
      outcome: 'everything goes on; nothing is started again before the next "npm start"',
    },
  ];
}

function appProspect({ active, standby, replicas, gateway }: Situation): Prospect {
  const failureOf = active ?? 'The active app';
  const needed = replicasToOpen(replicas);
  const { up, all } = replicas;
  if (up < needed) {
    const outcome = `a takeover cannot open: ${String(up)} of ${String(all)} replicas are up, and it needs ${String(needed)}`;
    return { failureOf, isMasked: false, outcome };
  }
  if (active === undefined) return { failureOf, isMasked: false, outcome: 'none serves now' };
  if (standby === undefined) {
    return { failureOf, isMasked: false, outcome: 'no standby waits: no app serves until it is started again' };
  }
  if (gateway === undefined) {
    return {
      failureOf,
      isMasked: false,
      outcome: `${standby} takes over; requests under way fail, because no gateway holds them`,
    };
  }
  return { failureOf, isMasked: true, outcome: `${standby} takes over; clients of the gateway see a slow answer` };
}

function replicaProspect(up: number, all: number, minInSync: number, needed: number): Prospect {
  const failureOf = 'One more replica';
  const left = up - 1;
  const isMasked = left >= Math.max(minInSync, needed);
  const state = `${String(Math.max(0, left))} of ${String(all)} would be up`;
  if (left < minInSync)
    return { failureOf, isMasked, outcome: `${state}: writes are refused, they need ${String(minInSync)}` };
  if (left < needed) return { failureOf, isMasked, outcome: `${state}: writes go on, but a takeover could not open` };
  return { failureOf, isMasked, outcome: `${state}: reads and writes go on` };
}
