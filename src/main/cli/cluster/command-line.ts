import { type Command as Program, CommanderError } from 'commander';
import { z } from 'zod';
import { type LamportTime, parseJson, parseLamport } from '../../../kernel/index.js';
import { commandLine, refusalText } from '../../../platform/process/index.js';
import { parseNode, type UnknownRule } from '../../../protocols/cluster-client/index.js';
import { EXPLANATION, INTRODUCTION } from './help.js';

export type Command =
  | { readonly name: 'create'; readonly groupId: string }
  | { readonly name: 'delete'; readonly groupId: string }
  | { readonly name: 'get'; readonly groupId: string }
  | { readonly name: 'clear' }
  | { readonly name: 'list' }
  | { readonly name: 'status' }
  | {
      readonly name: 'repair';
      readonly unknown: UnknownRule;
      readonly operationId?: string;
      readonly raiseTo?: LamportTime;
    };

export interface CommandLine {
  readonly command: Command;
  readonly isJson: boolean;
  readonly nodes?: readonly string[];
  readonly patienceMs?: number;
  readonly attempts?: number;
  readonly deadlineMs?: number;
  readonly concurrency?: number;
}

/** The one-line `message` says why the input is not a command. */
export class UsageError extends Error {}

const groupSchema = z.strictObject({
  groupId: z
    .string('must be a string')
    .min(1, 'must have 1 to 255 characters')
    .max(255, 'must have 1 to 255 characters')
    .refine((text) => text.isWellFormed(), 'must be well-formed Unicode'),
});
const FOLDERS = ['.', '..'];
const UNKNOWN_RULES: readonly string[] = ['leave-open', 'undo', 'leave'] satisfies UnknownRule[];

interface Options {
  readonly nodes?: string;
  readonly json?: true;
  readonly patience?: string;
  readonly attempts?: string;
  readonly deadline?: string;
  readonly concurrency?: string;
  readonly unknown?: string;
  readonly operation?: string;
  readonly raiseTo?: string;
}

/** Returns `help` when the arguments ask for it or are empty. Throws a UsageError. */
export function readCommandLine(args: readonly string[]): CommandLine | { readonly help: string } {
  let help = '';
  const program: Program = commandLine('npm run cluster', INTRODUCTION)
    .usage('-- <command> [options]')
    .argument('[words...]')
    .option(
      '--nodes <host:port,...>',
      'the nodes to call (default: NODES from the environment or .env, or else the replicas)',
    )
    .option('--json', 'print one JSON object only (use "npm run --silent cluster -- ...")')
    .option(
      '--patience <ms>',
      'time during which a failed call is tried again, so that a node may restart (default 3000)',
    )
    .option('--attempts <count>', 'maximum number of attempts of a call within that time')
    .option('--deadline <ms>', 'deadline of one attempt (default 2000)')
    .option('--concurrency <count>', 'maximum number of nodes to call at the same time (default 64)')
    .option('--operation <id>', 'for repair: repair only this operation')
    .option(
      '--raise-to <version>',
      'for repair: raise the nodes to this version, which only one node has seen and which is right',
    )
    .option('--unknown <rule>', 'for repair: leave-open (default), undo or leave; see below')
    .addHelpText('after', EXPLANATION)
    .configureOutput({ writeOut: (text) => (help += text), outputError: () => undefined })
    .exitOverride((error) => {
      throw error;
    });
  try {
    program.parse([...args], { from: 'user' });
    const [name, ...rest] = program.args;
    if (name === undefined) program.help();
    return lineOf(name, rest, program.opts());
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { help };
    throw new UsageError(refusalText(error.message).slice(0, -1));
  }
}

function lineOf(name: string, rest: readonly string[], values: Options): CommandLine {
  return {
    command: commandOf(name, rest, values),
    isJson: values.json ?? false,
    ...(values.nodes !== undefined && { nodes: nodesOf(values.nodes) }),
    ...(values.patience !== undefined && { patienceMs: wholeNumber('--patience', values.patience) }),
    ...(values.attempts !== undefined && { attempts: wholeNumber('--attempts', values.attempts) }),
    ...(values.deadline !== undefined && { deadlineMs: wholeNumber('--deadline', values.deadline) }),
    ...(values.concurrency !== undefined && { concurrency: wholeNumber('--concurrency', values.concurrency) }),
  };
}

const OF_REPAIR = { unknown: '--unknown', operation: '--operation', raiseTo: '--raise-to' } as const;

function commandOf(name: string, rest: readonly string[], values: Options): Command {
  const { unknown, operation, raiseTo } = values;
  for (const [field, option] of name === 'repair' ? [] : Object.entries(OF_REPAIR)) {
    if (field in values) throw new UsageError(`${option} is only for repair`);
  }
  switch (name) {
    case 'create':
    case 'delete':
    case 'get':
      return { name, groupId: groupIdOf(name, rest) };
    case 'list':
    case 'clear':
    case 'status':
    case 'repair': {
      if (rest.length > 0) throw new UsageError(`${name} takes no argument, but got ${String(rest[0])}`);
      if (name !== 'repair') return { name };
      return {
        ...{ name, unknown: ruleOf(unknown ?? 'leave-open') },
        ...(operation !== undefined && { operationId: operation }),
        ...(raiseTo !== undefined && { raiseTo: versionOf(raiseTo) }),
      };
    }
    default:
      throw new UsageError(`Unknown command ${name}`);
  }
}

/** Accepts `{"groupId": "1"}`, or the plain id. */
function groupIdOf(name: string, [text, ...more]: readonly string[]): string {
  const example = name === 'get' ? 'get 1' : `${name} '{"groupId": "1"}'`;
  if (text === undefined || more.length > 0) throw new UsageError(`${name} needs one group: ${example}`);
  const result = groupSchema.safeParse(isObject(text) ? fromJson(text, example) : { groupId: text });
  if (result.success && name === 'create' && FOLDERS.includes(result.data.groupId)) {
    throw new UsageError(
      `groupId: must not be "." or "..", which no client could read by its path; for example ${example}`,
    );
  }
  if (result.success) return result.data.groupId;
  const [issue] = result.error.issues;
  throw new UsageError(
    `${issue?.path.join('.') || 'the group'}: ${issue?.message ?? 'is invalid'}; for example ${example}`,
  );
}

const isObject = (text: string): boolean => /^\s*\{/.test(text);

function fromJson(text: string, example: string): unknown {
  try {
    return parseJson(text);
  } catch {
    throw new UsageError(`${text} is not JSON; for example ${example}`);
  }
}

function nodesOf(text: string): readonly string[] {
  const nodes = text.split(',').map((node) => node.trim());
  const wrong = nodes.find((node) => parseNode(node) === undefined);
  if (wrong !== undefined) throw new UsageError(`--nodes must be host:port,..., but got "${wrong}"`);
  return nodes;
}

function ruleOf(text: string): UnknownRule {
  if (UNKNOWN_RULES.includes(text)) return text as UnknownRule;
  throw new UsageError(`--unknown must be ${UNKNOWN_RULES.join(', ')}`);
}

function versionOf(text: string): LamportTime {
  const version = parseLamport(text);
  if (version === undefined) throw new UsageError('--raise-to must be a whole number of 30 digits at most');
  return version;
}

function wholeNumber(option: string, text: string): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value < 1) throw new UsageError(`${option} must be a whole number from 1`);
  return value;
}
