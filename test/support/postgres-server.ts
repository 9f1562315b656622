import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { eventually } from './eventually.js';
import { freePort } from './ports.js';

export interface PostgresAddress {
  readonly type: 'postgres';
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly database: string;
}

const HOST = '127.0.0.1';
const USER = 'bifolio';
const READY_WITHIN_MS = 60_000;
/** scripts/test.mjs has found it, or has said loudly that there is none; in CI that has ended the run. */
const folderOfPrograms = process.env['POSTGRES_BIN_DIR'] ?? '';

/** Tests on a real server, or, where this machine cannot have one, a test that says so; in CI that one fails. */
export function describeOnPostgres(name: string, tests: (server: () => PostgresServer) => void): void {
  describe(name, () => {
    let server: PostgresServer;
    if (folderOfPrograms === '') {
      it('was skipped: this machine has no PostgreSQL, see the warning above', () => {
        expect(process.env['CI'] ?? '').toBe('');
      });
      return;
    }
    beforeAll(async () => {
      server = await PostgresServer.start();
    });

    afterAll(() => server.stop());

    tests(() => server);
  });
}

/** A real PostgreSQL of its own: a new data directory, a free port, no other part of the machine. */
export class PostgresServer {
  private databases = 0;

  private constructor(
    private readonly directory: string,
    private readonly port: number,
    private server: ChildProcess,
  ) {}

  static async start(): Promise<PostgresServer> {
    const directory = mkdtempSync(join(tmpdir(), 'bifolio-postgres-'));
    const { uid, gid } = notRoot();
    chmodSync(directory, 0o700);
    if (uid !== undefined && gid !== undefined) chownSync(directory, uid, gid);
    execFileSync(
      program('initdb'),
      ['-D', directory, '-U', USER, '-A', 'trust', '--no-sync', '-E', 'UTF8', '--no-locale'],
      {
        ...{ uid, gid, cwd: directory, stdio: 'pipe' },
      },
    );
    const port = await freePort();
    const server = new PostgresServer(directory, port, run(directory, port));
    await server.ready();
    return server;
  }

  /** A new, empty database of it. */
  async newDatabase(): Promise<PostgresAddress> {
    this.databases += 1;
    const database = `test_${String(this.databases)}`;
    await this.asAdmin((admin) => admin.query(`CREATE DATABASE ${database}`));
    return this.address(database);
  }

  /** Runs `task` on a connection of its own, to that database. */
  async asAdmin<T>(task: (admin: DataSource) => Promise<T>, database = 'postgres'): Promise<T> {
    const admin = await new DataSource(this.address(database)).initialize();
    try {
      return await task(admin);
    } finally {
      await admin.destroy();
    }
  }

  /** As `kill -9` of all its processes; the next `restart` recovers. */
  async crash(): Promise<void> {
    await this.end('SIGQUIT');
  }

  async restart(): Promise<void> {
    this.server = run(this.directory, this.port);
    await this.ready();
  }

  async stop(): Promise<void> {
    await this.end('SIGQUIT');
    rmSync(this.directory, { recursive: true, force: true });
  }

  private address(database: string): PostgresAddress {
    return { type: 'postgres', host: HOST, port: this.port, username: USER, database };
  }

  private async ready(): Promise<void> {
    await eventually(() => this.asAdmin((admin) => admin.query('SELECT 1')), {
      withinMs: READY_WITHIN_MS,
      everyMs: 50,
    });
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    if (this.server.exitCode !== null || this.server.signalCode !== null) return;
    const ended = new Promise((resolve) => this.server.once('exit', resolve));
    this.server.kill(signal);
    await ended;
  }
}

function run(directory: string, port: number): ChildProcess {
  // A process that is killed loses nothing that it has given to the system.
  const options = { fsync: 'off', listen_addresses: HOST, port, unix_socket_directories: '', max_connections: 50 };
  const settings = Object.entries(options).flatMap(([name, value]) => ['-c', `${name}=${String(value)}`]);
  return spawn(program('postgres'), ['-D', directory, ...settings], { ...notRoot(), cwd: directory, stdio: 'ignore' });
}

function program(name: string): string {
  return join(folderOfPrograms, name);
}

/** PostgreSQL refuses root. Its package makes a user of its own. */
function notRoot(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const [, , uid, gid] = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody') ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}
