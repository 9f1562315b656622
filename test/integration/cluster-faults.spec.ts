import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OperationReport } from '../../src/protocols/cluster-client/index.js';
import { FaultyCalls, NODE_FAULTS, type NodeFault, type NodeStep, type PlannedFault } from './faulty-calls.js';
import { GroupNodes } from '../support/group-nodes.js';
import { rounds, someOf } from '../support/long-form.js';

const NODES = 3;
const STEPS: readonly NodeStep[] = ['look', 'write', 'undo'];
const KINDS = ['create', 'delete'] as const;
type Kind = (typeof KINDS)[number];
const ALWAYS = 1_000;
/**
 * Two at a time are tried with these: a 500 is to the client what a lost call is, or a lost answer. And not at a look: one
 * that fails for good ends the operation before anything is written, whatever else would fail later.
 */
const IN_PAIRS: readonly NodeFault[] = ['late', 'answer-lost', 'reset', 'gone'];
/** How many of each kind of case are tried, unless all are. The simulation of groups tries them all without processes. */
const CASES = { single: 42, pairs: 40, plain: 40 };
/** Generous: how slow a machine is shall never decide a test. */
const TIMEOUT_MS = 20 * 60_000;

let nodes: GroupNodes;
let made = 0;

beforeAll(async () => {
  nodes = await GroupNodes.start(NODES);
});

afterAll(async () => {
  await nodes.stop();
});

interface Tried {
  readonly report: OperationReport;
  readonly strikes: number;
  /** What must not be, if anything. */
  readonly wrong: string | undefined;
}

/** One operation under these faults; then, if it was left open, everything heals and it is repaired. */
async function tryOut(kind: Kind, faults: readonly PlannedFault[], plain?: string): Promise<Tried> {
  const groupId = `group-${String((made += 1))}`;
  if (kind === 'delete') expect(await changeInPeace('create', groupId)).toBe('done');
  const before = kind === 'delete';
  const faulty = new FaultyCalls(plain);
  faulty.plan(faults);
  const client = await nodes.client({}, { call: faulty.call });
  const report = await client[kind](groupId);
  const { strikes } = faulty;
  faulty.heal();
  let wrong = await lie(report, groupId, before);
  // What is late lands before the repair or after it, by turns; on a plain node nothing can be said of the latter.
  if (made % 2 === 0 || plain !== undefined) await faulty.deliverLate();
  if (report.outcome === 'open') {
    const repaired = await client.repair('undo');
    if (repaired.open > 0) wrong ??= `repair left ${String(repaired.open)} open`;
  }
  await faulty.deliverLate();
  await client.close();
  const after = await nodes.having(groupId);
  if (new Set(after).size > 1) wrong ??= `in the end the group is ${after.join(', ')}`;
  if (report.outcome === 'done' && after.includes(before))
    wrong ??= `it was done, and in the end it is ${after.join(', ')}`;
  return { report, strikes, wrong };
}

async function lie({ outcome }: OperationReport, groupId: string, before: boolean): Promise<string | undefined> {
  const having = await nodes.having(groupId);
  const expected = { done: !before, refused: before, 'rolled-back': before, open: undefined, left: undefined }[outcome];
  if (expected === undefined || having.every((isThere) => isThere === expected)) return undefined;
  return `it was told ${outcome}, and the group is ${having.join(', ')}`;
}

async function changeInPeace(kind: Kind, groupId: string): Promise<string> {
  const client = await nodes.client();
  const { outcome } = await client[kind](groupId);
  await client.close();
  return outcome;
}

function everywhere(faults: readonly NodeFault[], times: number): PlannedFault[] {
  return nodes.names.flatMap((node) =>
    STEPS.flatMap((step) => faults.map((fault): PlannedFault => ({ node, step, fault, times }))),
  );
}

const named = (faults: readonly PlannedFault[]): string =>
  faults.map(({ node, step, fault, times }) => `${fault} at ${step} of ${node} x ${times}`).join(' and ');

describe.each(KINDS)('a %s on three nodes, some of which fail', (kind) => {
  it(
    'given any one node that fails once or for good, is on all or none when the command reports it, or after a repair',
    async () => {
      const wrong: string[] = [];
      const outcomes = new Map<string, number>();
      const lasting = someOf(everywhere(NODE_FAULTS, ALWAYS), CASES.single);
      for (const fault of [...lasting, ...someOf(everywhere(NODE_FAULTS, 1), CASES.single / 2)]) {
        const tried = await tryOut(kind, [fault]);
        if (tried.wrong !== undefined) wrong.push(`${named([fault])}: ${tried.wrong}`);
        outcomes.set(tried.report.outcome, (outcomes.get(tried.report.outcome) ?? 0) + 1);
        // An undo happens only when something else went wrong.
        if (fault.step !== 'undo') expect(tried.strikes).toBeGreaterThan(0);
        // A passing fault is not noticed.
        if (fault.times === 1) expect(tried.report.outcome).toBe('done');
      }
      expect(wrong).toEqual([]);
      // What one node alone does wrong can always be undone at once.
      expect([...outcomes.keys()].sort()).toEqual(['done', 'refused', 'rolled-back']);
    },
    TIMEOUT_MS,
  );

  it(
    'given any two nodes that fail for good, is on all or none when the command reports it, or after a repair',
    async () => {
      const wrong: string[] = [];
      let open = 0;
      const sites = everywhere(IN_PAIRS, ALWAYS).filter(({ step }) => step !== 'look');
      const pairs = sites.flatMap((first, index) =>
        sites
          .slice(index + 1)
          .filter((second) => first.node !== second.node || first.step !== second.step)
          .map((second) => [first, second]),
      );
      for (const pair of someOf(pairs, CASES.pairs)) {
        const tried = await tryOut(kind, pair);
        if (tried.wrong !== undefined) wrong.push(`${named(pair)}: ${tried.wrong}`);
        if (tried.report.outcome === 'open') open += 1;
      }
      expect(wrong).toEqual([]);
      expect(open).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  it(
    'given one node that answers 500 to every change and undo, changes no node, without a repair',
    async () => {
      for (const plain of [undefined, ...nodes.names]) {
        for (const node of nodes.names) {
          const steps = ['write', 'undo'] as const;
          const faults = steps.map((step): PlannedFault => ({ node, step, fault: 'error', times: ALWAYS }));
          const { report, wrong } = await tryOut(kind, faults, plain);
          expect([named(faults), wrong]).toEqual([named(faults), undefined]);
          expect(['refused', 'rolled-back']).toContain(report.outcome);
        }
      }
    },
    TIMEOUT_MS,
  );

  it(
    'given one node that does not know operation ids, is on all or none, after a repair at the latest',
    async () => {
      const wrong: string[] = [];
      let open = 0;
      const cases = nodes.names.flatMap((plain) =>
        everywhere(NODE_FAULTS, ALWAYS).map((fault) => ({ plain, fault }) as const),
      );
      for (const { plain, fault } of someOf(cases, CASES.plain)) {
        const tried = await tryOut(kind, [fault], plain);
        if (tried.wrong !== undefined) wrong.push(`${plain} is plain, ${named([fault])}: ${tried.wrong}`);
        if (tried.report.outcome === 'open') open += 1;
      }
      expect(wrong).toEqual([]);
      // Few of all the cases end so.
      expect(open).toBeGreaterThanOrEqual(rounds(0, 1));
    },
    TIMEOUT_MS,
  );
});
