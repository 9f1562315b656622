import Table from 'cli-table3';
import type {
  GroupReading,
  ListReading,
  NodeStatus,
  NodeVersion,
  OpenOperation,
  OperationReport,
  Progress,
  RepairReport,
  StatusReading,
  Wanted,
} from '../../../protocols/cluster-client/index.js';

const WORDS: Readonly<Record<NodeStatus, string>> = {
  untouched: 'untouched',
  done: 'done',
  already: 'already',
  refused: 'refused',
  unreachable: 'unreachable',
  'rolled-back': 'rolled back',
  unknown: 'unknown',
};
const OUTCOMES = {
  done: 'done on all nodes',
  refused: 'refused: no node was changed',
  'rolled-back': 'rolled back: no node has changed',
  open: 'OPEN',
  left: 'given up: the nodes may differ',
} as const;
const STEPS = { look: 'looking', write: 'writing', undo: 'undoing' } as const;

export function operationLines(report: OperationReport): readonly string[] {
  const open = report.nodes.filter(({ status }) => status === 'unknown').map(({ node }) => node);
  const named = report.outcome === 'open' && open.length > 0 ? ` at ${open.join(', ')}` : '';
  return [
    ...report.repaired.flatMap((repaired) => ['An earlier operation was still open:', ...operationLines(repaired), '']),
    `${matter(report.wanted)}: ${OUTCOMES[report.outcome]}${named} (${String(report.ms)} ms, operation ${report.operationId})`,
    ...(report.reason === undefined ? [] : [`Why: ${report.reason}`]),
    table(
      ['Node', 'Outcome', 'Attempts', 'ms', 'Cause'],
      report.nodes.map(({ node, status, attempts, ms, cause }) => [node, WORDS[status], attempts, ms, cause ?? '']),
    ),
    ...(report.outcome === 'open'
      ? ['Run "npm run cluster -- repair" to finish it; "-- --help" explains what to do when that is not enough.']
      : []),
  ];
}

export function groupLines({ groupId, where, nodes }: GroupReading): readonly string[] {
  const words = {
    all: 'is on every node',
    none: 'is on no node',
    some: 'is on some nodes only',
    unknown: 'may be on any node: not every node answers',
  };
  return [
    `Group ${quoted(groupId)} ${words[where]}.`,
    table(
      ['Node', 'Group', 'Cause'],
      nodes.map(({ node, isThere, cause }) => [
        node,
        isThere === undefined ? 'unreachable' : isThere ? 'present' : 'absent',
        cause ?? '',
      ]),
    ),
  ];
}

export function listLines({ groups, nodes, isConsistent }: ListReading): readonly string[] {
  const heard = nodes.filter(({ isReachable }) => isReachable).map(({ node }) => node);
  const isAll = heard.length === nodes.length;
  const of = isAll ? '' : ' on the nodes that answer';
  const count = groups.length === 0 ? `No groups${of}.` : `${counted(groups.length)}${of}:`;
  return [
    ...nodes
      .filter(({ isReachable }) => !isReachable)
      .map(({ node, cause }) => `${node} did not answer: ${cause ?? ''}`),
    heard.length === 0 ? 'No node answers, so the groups are unknown.' : count,
    ...groups.map(({ groupId, nodes: on }) => {
      const missing = heard.filter((node) => !on.includes(node));
      if (isAll && missing.length === 0) return `  ${quoted(groupId)}`;
      if (isAll) return `  ${quoted(groupId)}  only on ${on.join(', ')}`;
      return `  ${quoted(groupId)}  on ${on.join(', ')}${missing.length === 0 ? '' : `, not on ${missing.join(', ')}`}`;
    }),
    ...(isConsistent ? [] : ['The nodes may have different groups.']),
  ];
}

const counted = (groups: number): string => `${String(groups)} ${groups === 1 ? 'group' : 'groups'}`;

export function statusLines({ nodes, open, withOthers }: StatusReading): readonly string[] {
  return [
    table(
      ['Node', 'State', 'Groups', 'Version', 'Knows operation ids', 'Cause'],
      nodes.map(({ node, isReachable, groups, name, version, knowsOperationIds, cause }) => [
        ...[node, isReachable ? 'up' : 'unreachable', groups ?? '?', [name, version].filter(Boolean).join(' ')],
        ...[knowsOperationIds === undefined ? '?' : knowsOperationIds ? 'yes' : 'no', cause ?? ''],
      ]),
    ),
    ...open.map((operation) => `Open: ${openLine(operation)}`),
    ...(open.length > 0 ? ['Run "npm run cluster -- repair" to finish open operations.'] : []),
    ...withOthers.map((operation) => `Another client is working on: ${openLine(operation)}`),
  ];
}

export function repairLines({ repaired, open, withOthers, versions }: RepairReport): readonly string[] {
  return [
    ...(repaired.length === 0 && withOthers.length === 0
      ? ['No operation was open.']
      : repaired.flatMap((report) => [...operationLines(report), ''])),
    ...(repaired.length > 0 && open === 0 && withOthers.length === 0 ? ['No operation is open now.'] : []),
    ...(open > 0 ? [`Still open: ${String(open)}.`] : []),
    ...withOthers.map((operation) => `Skipped, because another client is working on it: ${openLine(operation)}`),
    ...(withOthers.length > 0 ? ['Run "repair" again when that client has finished.'] : []),
    ...versions.flatMap(versionLine),
  ];
}

function versionLine({ node, isReachable, cause, met, raisedFrom, isFarAhead }: NodeVersion): readonly string[] {
  if (!isReachable) return [`${node} did not report the highest version that it has seen: ${cause ?? ''}`];
  const version = String(met);
  if (cause !== undefined) return [`${node} has seen only version ${version} and was not raised: ${cause}`];
  if (isFarAhead === true) {
    return [
      `${node} has seen version ${version}, far above the versions that most nodes have seen; the other nodes were not raised. ` +
        `If that version is right, run "repair --raise-to ${version}" to raise them.`,
    ];
  }
  return raisedFrom === undefined ? [] : [`${node} was raised from version ${String(raisedFrom)} to ${version}.`];
}

export function progressLine({ node, step, status }: Progress): string {
  return status === 'asked' ? `  ${node}: ${STEPS[step]} ...` : `  ${node}: ${STEPS[step]}: ${WORDS[status]}`;
}

function openLine({ operationId, wanted, startedAtMs }: OpenOperation): string {
  return `${matter(wanted)}, since ${new Date(startedAtMs).toISOString()} (operation ${operationId})`;
}

function matter(wanted: Wanted): string {
  return wanted.kind === 'clear'
    ? 'Delete all groups'
    : `${wanted.kind === 'create' ? 'Create' : 'Delete'} group ${quoted(wanted.groupId)}`;
}

/** JSON keeps an id's control characters on its line. */
const quoted = (groupId: string): string => JSON.stringify(groupId);

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const shown = new Table({ head: [...head], style: { head: [], border: [] } });
  for (const row of rows) shown.push(row.map(String));
  return shown.toString();
}
