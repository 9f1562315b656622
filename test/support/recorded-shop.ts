import { Agent, request } from 'undici';
import { isAheadOf, parseLogPosition } from '../../src/kernel/index.js';
import type { Collection } from './audited-client.js';
import { ABSENT, linearizabilityViolations, type RegisterOperation, type RegisterValue } from './linearizability.js';
import { contentOf, inputOf } from './shop-client.js';

type Row = Readonly<Record<string, unknown>>;

interface Answered {
  /** Undefined: no answer came. */
  readonly status: number | undefined;
  readonly body: string;
  readonly beganAt: number;
  readonly answeredAt: number;
}

/** No write was done, and it will not be. */
const REFUSED: ReadonlySet<number> = new Set([400, 409, 412, 429, 503]);
/** No answer within this time is one too few: no test may hang because a request does. */
const GIVE_UP_AFTER_MS = 60_000;
/** App and readers are one place: what one of them has shown, no other may have forgotten. */
const APP = 'the app';

/**
 * What recording clients were told of the books or customers of any number of processes: one register for each id, on the clock of
 * this process.
 *
 * A client of a replica asks for the last acknowledged write with each read (`min_seq`). A replica may show a write before the write
 * is acknowledged, and another replica may still lack it, so the reads of each replica make a history of their own with all writes.
 */
export class RecordedShop {
  private readonly registers = new Map<number, { readonly operation: RegisterOperation; readonly at: string }[]>();
  private readonly counts = new Map<string, number>();
  private readonly agent = new Agent({ pipelining: 1, connections: 100, headersTimeout: GIVE_UP_AFTER_MS });
  private writes = 0;
  /** Of all requests, from the call to the last byte of the answer. */
  slowestMs = 0;
  /** The position of the acknowledged write that is last in the log. */
  private commit: string | undefined;

  /** `replicas`: base addresses. */
  constructor(
    readonly collection: Collection,
    private readonly replicas: readonly string[] = [],
  ) {}

  client(name: string, url: string): RecordingClient {
    return new RecordingClient(name, url, this, this.replicas.includes(url) ? url : APP);
  }

  get lastCommit(): string | undefined {
    return this.commit;
  }

  /** How many answers there were of each kind: `GET 200 redis`, `PUT 429`, `GET no answer`. */
  get answers(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.counts].toSorted());
  }

  /** Kinds of answers, with their counts, of requests that were not served: 429, 5xx, 202 and none at all. */
  get unserved(): Readonly<Record<string, number>> {
    return Object.fromEntries(Object.entries(this.answers).filter(([kind]) => /202|429| 5..|no answer/.test(kind)));
  }

  /** How many answers there were of the kinds that match. */
  count(kinds: RegExp): number {
    return [...this.counts].reduce((sum, [kind, count]) => (kinds.test(kind) ? sum + count : sum), 0);
  }

  /** How many reads came from this source (`memory`, `redis`, `miss`). */
  readsFrom(source: string): number {
    return this.counts.get(`GET 200 ${source}`) ?? 0;
  }

  /** One sentence for each wrong read. */
  violations(): string[] {
    return [...this.registers].flatMap(([id, history]) =>
      [APP, ...this.replicas].flatMap((place) => {
        const seen = history.filter(({ operation, at }) => operation.kind === 'write' || at === place);
        const sentences = linearizabilityViolations(seen.map(({ operation }) => operation));
        return sentences.map((sentence) => `${this.collection}/${String(id)}: ${sentence}`);
      }),
    );
  }

  close(): Promise<void> {
    return this.agent.destroy();
  }

  /** A value that no client has written before. */
  newContent(client: string): string {
    this.writes += 1;
    return `${client} ${String(this.writes)}`;
  }

  note(id: number, operation: RegisterOperation, at: string): void {
    const register = this.registers.get(id);
    if (register) register.push({ operation, at });
    else this.registers.set(id, [{ operation, at }]);
  }

  async ask(url: string, method: 'GET' | 'POST' | 'PUT' | 'DELETE', json?: Row): Promise<Answered> {
    const beganAt = performance.now();
    const { status, body, source, commit } = await this.send(url, method, json);
    const answeredAt = performance.now();
    if (commit !== undefined) this.noteCommit(commit);
    this.slowestMs = Math.max(this.slowestMs, answeredAt - beganAt);
    const kind = `${method} ${status === undefined ? 'no answer' : String(status)}${source}`;
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    return { status, body, beganAt, answeredAt };
  }

  private noteCommit(commit: string): void {
    const isLast = this.commit === undefined || isAheadOf(parseLogPosition(commit), parseLogPosition(this.commit));
    if (isLast) this.commit = commit;
  }

  private async send(
    url: string,
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    json: Row | undefined,
  ): Promise<{
    readonly status: number | undefined;
    readonly body: string;
    readonly source: string;
    readonly commit?: string;
  }> {
    try {
      const { statusCode, headers, body } = await request(url, {
        dispatcher: this.agent,
        method,
        ...(json && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(json) }),
      });
      const { 'x-cache': source, 'x-commit': commit } = headers;
      return {
        ...{ status: statusCode, body: await body.text(), source: typeof source === 'string' ? ` ${source}` : '' },
        ...(typeof commit === 'string' && { commit }),
      };
    } catch {
      return { status: undefined, body: '', source: '' };
    }
  }
}

/** One client of one process, which does one thing at a time and has all that it was told recorded. */
export class RecordingClient {
  constructor(
    private readonly name: string,
    private readonly url: string,
    private readonly shop: RecordedShop,
    /** Where its reads are served. */
    private readonly place: string,
  ) {}

  /** Adds a resource of a new id. Throws when it was not told the id. */
  async create(): Promise<number> {
    const value = this.shop.newContent(this.name);
    const answer = await this.shop.ask(this.path(), 'POST', inputOf(this.shop.collection, value));
    if (answer.status !== 201) throw new Error(`a create was answered ${String(answer.status)}: ${answer.body}`);
    const { id } = JSON.parse(answer.body) as { readonly id: number };
    this.note(id, 'write', value, answer);
    return id;
  }

  async replace(id: number): Promise<void> {
    const value = this.shop.newContent(this.name);
    const answer = await this.shop.ask(this.path(id), 'PUT', inputOf(this.shop.collection, value));
    this.noteWrite(id, value, answer);
  }

  /** Says whether it was this client that deleted it. */
  async delete(id: number): Promise<boolean> {
    const answer = await this.shop.ask(this.path(id), 'DELETE');
    this.noteWrite(id, ABSENT, answer);
    return answer.status === 204;
  }

  async read(id: number): Promise<void> {
    const answer = await this.get(this.path(id));
    if (answer.status === 404) this.note(id, 'read', ABSENT, answer);
    if (answer.status === 200) this.note(id, 'read', this.contentOf(JSON.parse(answer.body) as Row), answer);
  }

  /** Reads a page of the list that reaches over `ids`, in their order, and nothing else that lies between them. */
  async readPage(ids: readonly number[], limit: number): Promise<void> {
    const [first] = ids;
    if (first === undefined) return;
    const answer = await this.get(this.path(), `limit=${String(limit)}&after=${String(first - 1)}`);
    if (answer.status !== 200) return;
    const rows = new Map((JSON.parse(answer.body) as readonly Row[]).map((row) => [Number(row['id']), row]));
    const end = rows.size < limit ? Infinity : Math.max(...rows.keys());
    for (const id of ids) {
      const row = rows.get(id);
      if (id <= end) this.note(id, 'read', row === undefined ? ABSENT : this.contentOf(row), answer);
    }
  }

  private get(path: string, ...queries: string[]): Promise<Answered> {
    const commit = this.place === APP ? undefined : this.shop.lastCommit;
    if (commit !== undefined) queries.push(`min_seq=${commit}`);
    return this.shop.ask(queries.length > 0 ? `${path}?${queries.join('&')}` : path, 'GET');
  }

  private path(id?: number): string {
    return `${this.url}/${this.shop.collection}${id === undefined ? '' : `/${String(id)}`}`;
  }

  private contentOf(row: Row): string {
    return contentOf(this.shop.collection, row);
  }

  private noteWrite(id: number, value: RegisterValue, answer: Answered): void {
    const { status } = answer;
    if (status === 200 || status === 204) this.note(id, 'write', value, answer);
    // The app has looked.
    else if (status === 404) this.note(id, 'read', ABSENT, answer, APP);
    else if (status === undefined || !REFUSED.has(status))
      this.note(id, 'write', value, { ...answer, answeredAt: Infinity });
  }

  private note(
    id: number,
    kind: 'read' | 'write',
    value: RegisterValue,
    { beganAt, answeredAt }: Answered,
    at = this.place,
  ): void {
    this.shop.note(id, { client: this.name, kind, value, beganAt, answeredAt }, at);
  }
}
