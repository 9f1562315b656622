import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AppProcess, removeDirectory, temporaryDirectory } from '../support/app-process.js';
import type { ExitOf } from '../support/server-process.js';

const PROGRAM = resolve('dist/bundle/atomic-invoice.mjs');
const MAX_INVOICES = 40;
const ACCOUNTS = ['ada', 'grace', 'barbara'];

interface Attempt {
  readonly number: string;
  readonly account: string;
  readonly amountCents: number;
  /** Undefined: the process was gone before it answered. */
  status: number | undefined;
}

interface Row {
  readonly number: string;
  readonly account: string;
  readonly amountCents: number;
  readonly transactionId: string;
}

export interface Death extends ExitOf {
  readonly when: 'while starting' | 'under load';
}

/** What clients of the invoice example saw, over many incarnations of it, and whether its two stores agree with that. */
export class InvoiceHistory {
  readonly directory = temporaryDirectory();
  private readonly attempts: Attempt[] = [];
  private readonly incarnations: AppProcess[] = [];

  /** A incarnation with that crash site, and clients that send invoices until it is dead. */
  async dieAt(site: string): Promise<Death> {
    const app = this.begin({ FAULTS: '1', CRASH_SITE: site });
    const isReady = await app.ready().then(
      () => true,
      () => false,
    );
    if (!isReady) return { ...(await app.exited), when: 'while starting' };
    for (let n = 0; n < MAX_INVOICES && !app.hasExited; n += 1) await this.send(app);
    if (!app.hasExited && this.attempts.at(-1)?.status !== undefined) throw new Error(`${site} was never reached`);
    return { ...(await app.exited), when: 'under load' };
  }

  /** A incarnation that ten clients write to, killed once so many of their invoices are acknowledged. */
  async dieUnderLoad(acknowledged: number): Promise<void> {
    const app = this.begin({});
    await app.ready();
    let left = acknowledged;
    const client = async (): Promise<void> => {
      while (!app.hasExited && left > -MAX_INVOICES) {
        await this.send(app);
        left -= 1;
        if (left === 0) void app.kill();
      }
    };
    await Promise.all(Array.from({ length: 10 }, client));
    await app.exited;
  }

  /** What an incarnation says that does not come about. */
  async refusal(environment: Readonly<Record<string, string>> = {}): Promise<string> {
    const app = this.begin(environment);
    const { code } = await app.exited;
    if (code !== 1) throw new Error(`it ended with ${String(code)}: ${app.printed}`);
    return app.printed;
  }

  /** What an incarnation without faults answers at `/`. */
  async about(): Promise<unknown> {
    const app = this.begin({});
    await app.ready();
    return read(app, '/');
  }

  /** Begins an incarnation without faults and names everything in which it breaks a promise. */
  async audit(): Promise<readonly string[]> {
    const app = this.begin({});
    await app.ready();
    const invoices = await read<Row[]>(app, '/invoices');
    const entries = await read<(Omit<Row, 'number'> & { text: string })[]>(app, '/ledger');
    const inLedger = entries.map(({ text, ...entry }) => lineOf({ ...entry, number: text.replace('invoice ', '') }));
    const broken = [
      ...difference(invoices.map(lineOf), inLedger).map((line) => `only in SQL: ${line}`),
      ...difference(inLedger, invoices.map(lineOf)).map((line) => `only in the ledger: ${line}`),
      ...this.brokenPromises(invoices),
      ...this.undecided().map((id) => `undecided after the start: ${id}`),
    ];
    await this.send(app, 'new');
    if (this.attempts.at(-1)?.status !== 201) broken.push('it takes no more invoices');
    await app.stop();
    return broken;
  }

  async end(): Promise<void> {
    await Promise.all(this.incarnations.map((app) => app.kill()));
    removeDirectory(this.directory);
  }

  private begin(faults: Readonly<Record<string, string>>): AppProcess {
    const app = AppProcess.spawn(this.directory, faults, PROGRAM);
    this.incarnations.push(app);
    return app;
  }

  /** Every third one has the number of the one before, which SQL refuses after the ledger has promised. */
  private async send(app: AppProcess, kind?: 'new'): Promise<void> {
    const count = this.attempts.length;
    const number = `R-${String(count - (kind !== 'new' && count % 3 === 1 ? 1 : 0))}`;
    const account = ACCOUNTS[count % ACCOUNTS.length] ?? '';
    const attempt: Attempt = { number, account, amountCents: 100 + count, status: undefined };
    this.attempts.push(attempt);
    const { status: _, ...invoice } = attempt;
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(invoice) };
    attempt.status = await fetch(`${app.url}/invoices`, init).then(
      (response) => response.status,
      () => undefined,
    );
  }

  private brokenPromises(invoices: readonly Row[]): readonly string[] {
    return this.attempts.flatMap(({ status, ...invoice }) => {
      const isThere = invoices.some((row) => row.number === invoice.number && row.amountCents === invoice.amountCents);
      if (status === 201) return isThere ? [] : [`acknowledged and lost: ${invoice.number}`];
      if (status === 409) return isThere ? [`refused and there: ${invoice.number}`] : [];
      return status === undefined ? [] : [`answered ${String(status)}: ${invoice.number}`];
    });
  }

  /** Promised in the ledger's file, and nothing behind it that says what became of it. */
  private undecided(): readonly string[] {
    const lines = readFileSync(join(this.directory, 'ledger.jsonl'), 'utf8').trimEnd().split('\n');
    const open = new Set<string>();
    for (const line of lines.filter((text) => text !== '')) {
      const { state, head, id } = JSON.parse(line) as { state: string; head?: { id: string }; id?: string };
      if (state === 'prepared') open.add(head?.id ?? '');
      else open.delete(id ?? '');
    }
    return [...open];
  }
}

async function read<T>(app: AppProcess, path: string): Promise<T> {
  return (await (await fetch(`${app.url}${path}`)).json()) as T;
}

function lineOf({ number, account, amountCents, transactionId }: Row): string {
  return `${number} ${account} ${String(amountCents)} ${transactionId}`;
}

function difference(some: readonly string[], others: readonly string[]): readonly string[] {
  const there = new Set(others);
  return some.filter((line) => !there.has(line));
}
