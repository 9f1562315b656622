import 'reflect-metadata';
import { namedDirectories } from '../../config/index.js';
import { explainFailure } from '../../platform/nodes/index.js';
import { acceptLostData } from './accept-loss/run.js';
import { acceptTransactions } from './accept/run.js';
import { runCluster } from './cluster/run.js';
import { recoverFromReplicas } from './recover/run.js';
import type { CommandOutput } from './command-output.js';
import { showStatus } from './status.js';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
/** What is kept here is nobody else's to read. */
const OWNER_ONLY = 0o077;
const DRY_RUN = '--dry-run';
const ACCEPTING: Readonly<Record<string, (reason: string) => Promise<CommandOutput>>> = {
  'transactions:accept': acceptTransactions,
  'data:accept-loss': acceptLostData,
};
const USAGE =
  'Usage: npm run status, npm run cluster -- --help, npm run recover:from-replicas [-- --dry-run], ' +
  'npm run transactions:accept -- --reason "...", npm run data:accept-loss -- --reason "..."';

async function main([command, ...options]: readonly string[]): Promise<number> {
  process.umask(OWNER_ONLY);
  if (command === 'status' && options.length === 0) {
    const { exitCode, text } = await showStatus();
    say(text, exitCode);
    return exitCode;
  }
  if (command === 'recover:from-replicas' && options.every((option) => option === DRY_RUN)) {
    const { exitCode, lines } = await recoverFromReplicas(options.includes(DRY_RUN));
    say(lines.join('\n'), exitCode);
    return exitCode;
  }
  if (command === 'cluster') {
    // Who reads no further, or has no room, is told by the exit code alone.
    process.stdout.on('error', () => undefined);
    return runCluster(options, {
      out: (text) => process.stdout.write(text),
      error: (text) => process.stderr.write(text),
      isTerminal: process.stderr.isTTY,
    });
  }
  const [option, reason, ...rest] = options;
  const accept = command === undefined ? undefined : ACCEPTING[command];
  if (accept !== undefined && option === '--reason' && reason !== undefined && rest.length === 0) {
    const { exitCode, lines } = await accept(reason);
    say(lines.join('\n'), exitCode);
    return exitCode;
  }
  say(USAGE, EXIT_USAGE);
  return EXIT_USAGE;
}

function say(text: string, exitCode: number): void {
  (exitCode === 0 ? process.stdout : process.stderr).write(`${text}\n`);
}

main(process.argv.slice(2)).then(
  (exitCode) => {
    process.exitCode = exitCode;
  },
  (error: unknown) => {
    say(explainFailure(error, namedDirectories()), EXIT_FAILED);
    process.exitCode = EXIT_FAILED;
  },
);
