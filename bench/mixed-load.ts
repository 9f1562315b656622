import { performance } from 'node:perf_hooks';
import { Agent, request } from 'undici';

const CONNECTIONS = 1_000;
const PAGE = 1_000;
const GIVE_UP_AFTER_MS = 60_000;
/** Of 100 requests. The rest reads. */
const CREATES = 20;
const REPLACES = 15;
const PAGES = 25;

type Row = Readonly<Record<string, unknown>>;

/** Reads and writes of customers and books without keys, at times that do not depend on the answers (open loop). */
export class MixedLoad {
  /** What was answered with an error, or not at all. */
  readonly failures: string[] = [];
  /** Of the requests since this was last set, by the time of their sending. */
  slowestMs = 0;
  private readonly agent = new Agent({ pipelining: 1, connections: CONNECTIONS, headersTimeout: GIVE_UP_AFTER_MS });
  /** By name: the id that its creation was answered with. */
  private readonly created = new Map<string, number>();
  /** By id: the names of its acknowledged replacements. */
  private readonly replaced = new Map<number, string[]>();
  private begunMs = 0;
  private sent = 0;

  constructor(
    private readonly url: string,
    private readonly customers: number,
  ) {}

  /** Resolves when all that was sent is answered. */
  async run(perSecond: number, forMs: number): Promise<void> {
    this.begunMs = performance.now();
    const under: Promise<void>[] = [];
    for (;;) {
      const elapsedMs = performance.now() - this.begunMs;
      if (elapsedMs >= forMs) break;
      for (const due = Math.floor((elapsedMs * perSecond) / 1_000); this.sent < due;) under.push(this.sendOne());
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await Promise.all(under);
  }

  /** Resolves at that time after the begin of the run. */
  async at(afterMs: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, this.begunMs + afterMs - performance.now())));
  }

  /** One sentence for each acknowledged write that is missing, and each creation that is there twice. */
  async audit(): Promise<string[]> {
    const wrong: string[] = [];
    const byName = new Map<string, number[]>();
    const names = new Map<number, string>();
    for (let after = 0; ;) {
      const { body } = await this.ask('GET', `/customers?limit=${String(PAGE)}&after=${String(after)}`);
      const rows = JSON.parse(body) as readonly Row[];
      for (const row of rows) {
        const [id, name] = [Number(row['id']), String(row['name'])];
        byName.set(name, [...(byName.get(name) ?? []), id]);
        names.set(id, name);
        after = id;
      }
      if (rows.length < PAGE) break;
    }
    for (const [name, id] of this.created) {
      const ids = byName.get(name) ?? [];
      if (ids.length !== 1 || ids[0] !== id)
        wrong.push(`"${name}" was created as ${String(id)} and is at [${ids.join()}]`);
    }
    for (const [id, replacements] of this.replaced) {
      const name = names.get(id) ?? 'gone';
      if (!replacements.includes(name)) wrong.push(`customer ${String(id)} is "${name}", which was never acknowledged`);
    }
    return wrong;
  }

  close(): Promise<void> {
    return this.agent.destroy();
  }

  private async sendOne(): Promise<void> {
    const number = (this.sent += 1);
    const dice = Math.random() * 100;
    const name = `load ${String(number)}`;
    const customer = { name, email: 'load@example.org' };
    const id = 1 + Math.floor(Math.random() * this.customers);
    if (dice < CREATES) {
      const { status, body } = await this.timed('POST', '/customers', customer);
      if (status === 201) this.created.set(name, Number((JSON.parse(body) as Row)['id']));
    } else if (dice < CREATES + REPLACES) {
      const { status } = await this.timed('PUT', `/customers/${String(id)}`, customer);
      if (status === 200) this.replaced.set(id, [...(this.replaced.get(id) ?? []), name]);
    } else if (dice < CREATES + REPLACES + PAGES) {
      await this.timed('GET', `/books?limit=${String(1 + (number % 50))}`);
    } else {
      await this.timed('GET', `/customers/${String(id)}`);
    }
  }

  private async timed(method: 'GET' | 'POST' | 'PUT', path: string, json?: Row): Promise<Answer> {
    const sentMs = performance.now();
    const answer = await this.ask(method, path, json);
    this.slowestMs = Math.max(this.slowestMs, performance.now() - sentMs);
    if (![200, 201].includes(answer.status))
      this.failures.push(`${method} ${path}: ${String(answer.status)} ${answer.body}`);
    return answer;
  }

  private async ask(method: 'GET' | 'POST' | 'PUT', path: string, json?: Row): Promise<Answer> {
    try {
      const { statusCode, body } = await request(`${this.url}${path}`, {
        dispatcher: this.agent,
        method,
        ...(json && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(json) }),
      });
      return { status: statusCode, body: await body.text() };
    } catch (error) {
      return { status: 0, body: String(error) };
    }
  }
}

interface Answer {
  /** 0: no answer. */
  readonly status: number;
  readonly body: string;
}
