import { loadClusterConfig } from '../../../config/index.js';
import { AppError, isAppError } from '../../../kernel/index.js';
import {
  ClusterClient,
  CLUSTER_CRASH_SITES,
  type OperationReport,
  type Progress,
  systemPorts,
} from '../../../protocols/cluster-client/index.js';
import { crashSitesAmong } from '../../../platform/crash-sites/index.js';
import { type Command, type CommandLine, readCommandLine, UsageError } from './command-line.js';
import { groupLines, listLines, operationLines, progressLine, repairLines, statusLines } from './messages.js';

export interface Output {
  readonly out: (text: string) => void;
  /** For progress and errors. */
  readonly error: (text: string) => void;
  readonly isTerminal: boolean;
}

const DONE = 0;
const NOT_DONE = 1;
const USAGE = 2;

/** Resolves to the exit code: 0 for done, 1 for refused, rolled back or open, 2 for an invalid command. */
export async function runCluster(args: readonly string[], output: Output): Promise<number> {
  let line;
  try {
    line = readCommandLine(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    output.error(`${error.message}. "npm run cluster -- --help" shows how to use it.\n`);
    return USAGE;
  }
  if ('help' in line) {
    output.out(line.help);
    return args.length === 0 ? USAGE : DONE;
  }
  try {
    return await runCommand(line, output);
  } catch (error) {
    if (!line.isJson || !isAppError(error)) throw error;
    output.out(`${JSON.stringify({ error: { code: error.code, message: error.message } })}\n`);
    return NOT_DONE;
  }
}

async function runCommand({ command, isJson, ...options }: CommandLine, output: Output): Promise<number> {
  const { nodes, directory, apiKey, faults } = loadClusterConfig();
  if ((options.nodes ?? nodes).length === 0) {
    const message = 'no node is named: set NODES or REPLICA_PORTS, or give --nodes host:port,...';
    throw new AppError('misconfigured', message, { retry: 'never' });
  }
  const onProgress = (progress: Progress): void => {
    output.error(`${progressLine(progress)}\n`);
  };
  const client = await ClusterClient.open(
    {
      ...{ nodes, directory },
      ...(apiKey !== undefined && { apiKey }),
      ...(output.isTerminal && !isJson && { onProgress }),
      ...options,
    },
    systemPorts(crashSitesAmong(CLUSTER_CRASH_SITES, faults.crashSite)),
  );
  try {
    const { result, lines, isGood } = await carryOut(client, command);
    output.out(isJson ? `${JSON.stringify(result)}\n` : `${lines.join('\n')}\n`);
    return isGood ? DONE : NOT_DONE;
  } finally {
    await client.close();
  }
}

interface Report {
  readonly result: object;
  readonly lines: readonly string[];
  readonly isGood: boolean;
}

async function carryOut(client: ClusterClient, command: Command): Promise<Report> {
  switch (command.name) {
    case 'create':
    case 'delete':
    case 'clear': {
      const result = await changed(client, command);
      return { result, lines: operationLines(result), isGood: result.outcome === 'done' };
    }
    case 'get': {
      const result = await client.get(command.groupId);
      return { result, lines: groupLines(result), isGood: result.where === 'all' };
    }
    case 'list': {
      const result = await client.list();
      return { result, lines: listLines(result), isGood: result.isConsistent };
    }
    case 'status': {
      const result = await client.status();
      const isGood =
        result.open.length + result.withOthers.length === 0 && result.nodes.every(({ isReachable }) => isReachable);
      return { result, lines: statusLines(result), isGood };
    }
    case 'repair': {
      const result = await client.repair(command.unknown, command.operationId, command.raiseTo);
      const isLevel = result.versions.every(({ cause, isFarAhead }) => cause === undefined && isFarAhead !== true);
      const isGood = isLevel && result.open + result.withOthers.length === 0;
      return { result, lines: repairLines(result), isGood };
    }
  }
}

function changed(
  client: ClusterClient,
  command: Extract<Command, { name: 'create' | 'delete' | 'clear' }>,
): Promise<OperationReport> {
  if (command.name === 'clear') return client.clear();
  return command.name === 'create' ? client.create(command.groupId) : client.delete(command.groupId);
}
