import 'reflect-metadata';
import type { Command } from 'commander';
import { namedDirectories } from '../../config/index.js';
import { explainFailure } from '../../platform/nodes/index.js';
import { commandLine } from '../../platform/process/index.js';
import { acceptLostData } from './accept-loss/run.js';
import { acceptSagas } from './accept-sagas/run.js';
import { acceptTransactions } from './accept/run.js';
import { runBackup } from './backup/run.js';
import { runCluster } from './cluster/run.js';
import { recoverFromReplicas } from './recover/run.js';
import type { CommandOutput } from './command-output.js';
import { showRedisStatus } from './redis-status/run.js';
import { showStatus } from './status.js';

const EXIT_FAILED = 1;
/** Other users must not read what is stored here. */
const OWNER_ONLY = 0o077;

const COMMANDS: Readonly<Record<string, (name: string) => Command>> = {
  status: (name) =>
    commandLine(
      name,
      'Shows every process, the positions of app and replicas, failovers, and what a failure would do now.',
    ).action(async () => {
      const { exitCode, text } = await showStatus();
      say({ exitCode, lines: [text] });
    }),
  'redis:status': (name) =>
    commandLine(name, 'Shows the nodes of the Redis Cluster: slots, roles, keys and health.')
      .option('--key <key>', 'say which slot and node this key hashes to')
      .action(async ({ key }: { readonly key?: string }) => {
        say(await showRedisStatus(key));
      }),
  backup: (name) =>
    commandLine(name, 'Copies the stores of a stopped app into a new directory.')
      .usage('-- <directory>')
      .argument('<directory>', 'the new directory')
      .action(async (directory: string) => {
        say(await runBackup(directory));
      }),
  'recover:from-replicas': (name) =>
    commandLine(name, 'Restores the documents from the replicas after the data directory is lost.')
      .option('--dry-run', 'only report which replica it would restore from')
      .action(async ({ dryRun = false }: { readonly dryRun?: boolean }) => {
        say(await recoverFromReplicas(dryRun));
      }),
  'transactions:accept': (name) =>
    accepting(name, 'Accepts the transactions that an older copy of one store lacks.', acceptTransactions),
  'sagas:accept': (name) => accepting(name, 'Accepts the checkouts that an older copy of a file lacks.', acceptSagas),
  'data:accept-loss': (name) =>
    accepting(name, 'Accepts that durable data is missing, so that the app starts without it.', acceptLostData),
};

function accepting(name: string, description: string, accept: (reason: string) => Promise<CommandOutput>): Command {
  const program: Command = commandLine(name, description)
    .usage('-- --reason "..."')
    .option('--reason <text>', 'why you accept the loss; stored with the accepted loss (required)')
    .action(async ({ reason }: { readonly reason?: string }) => {
      if (reason === undefined) program.error(`--reason is missing: ${name} -- --reason "..."`);
      say(await accept(reason));
    });
  return program;
}

async function main([command = '', ...options]: readonly string[]): Promise<void> {
  process.umask(OWNER_ONLY);
  if (command === 'cluster') {
    // The exit code alone reports a closed reader or a full disk.
    process.stdout.on('error', () => undefined);
    process.exitCode = await runCluster(options, {
      out: (text) => process.stdout.write(text),
      error: (text) => process.stderr.write(text),
      isTerminal: process.stderr.isTTY,
    });
    return;
  }
  const names = ['cluster', ...Object.keys(COMMANDS)];
  const program =
    COMMANDS[command]?.(`npm run ${command}`) ??
    commandLine('npm run', `Commands: ${names.join(', ')}.`)
      .usage('<command> [-- options]')
      .argument('<command>');
  await program.parseAsync([...options], { from: 'user' });
}

function say({ exitCode, lines }: CommandOutput): void {
  (exitCode === 0 ? process.stdout : process.stderr).write(`${lines.join('\n')}\n`);
  process.exitCode = exitCode;
}

main(process.argv.slice(2)).catch((error: unknown) => {
  say({ exitCode: EXIT_FAILED, lines: [explainFailure(error, namedDirectories())] });
});
