import { Agent, request } from 'undici';
import type { Collection, Reply, Send, Stored } from './audited-client.js';

const PAGE = 1_000;
const METHODS = { create: 'POST', replace: 'PUT', delete: 'DELETE' } as const;

type Row = Readonly<Record<string, unknown>>;

export interface KeyedWrite {
  readonly key: string;
  readonly method: 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  /** Undefined: no body. */
  readonly body: Row | undefined;
}

export interface Refusal {
  readonly code: unknown;
  readonly retryAfter: unknown;
  readonly type: unknown;
}

/** The app over HTTP, as audited clients use it. One per process life; `close` it. */
export class ShopClient {
  private readonly agent = new Agent({ pipelining: 1, connections: 100, keepAliveTimeout: 4_000 });

  constructor(private readonly url: string) {}

  /** What each 503 said. */
  readonly refusals: Refusal[] = [];

  readonly send: Send = ({ key, action, collection, id, content }) =>
    this.deliver({
      key,
      method: METHODS[action],
      path: id === undefined ? `/${collection}` : `/${collection}/${String(id)}`,
      body: action === 'delete' ? undefined : inputOf(collection, content),
    });

  /** Undefined: no answer came. */
  async deliver({ key, method, path, body: sent }: KeyedWrite): Promise<Reply | undefined> {
    try {
      const { statusCode, headers, body } = await request(`${this.url}${path}`, {
        dispatcher: this.agent,
        method,
        headers: { 'idempotency-key': key, 'content-type': 'application/json' },
        body: sent === undefined ? null : JSON.stringify(sent),
      });
      const text = await body.text();
      if (statusCode === 503) {
        const { code } = JSON.parse(text) as { code?: string };
        this.refusals.push({ code, retryAfter: headers['retry-after'], type: headers['content-type'] });
      }
      return { status: statusCode, body: text };
    } catch {
      return undefined;
    }
  }

  async get(path: string): Promise<Reply> {
    const { statusCode, body } = await request(`${this.url}${path}`, { dispatcher: this.agent });
    return { status: statusCode, body: await body.text() };
  }

  async stored(): Promise<Record<Collection, Stored>> {
    return { books: await this.list('books'), customers: await this.list('customers') };
  }

  customers(): Promise<Stored> {
    return this.list('customers');
  }

  close(): Promise<void> {
    return this.agent.destroy();
  }

  /** All of a list, page by page. */
  async rows(path: string): Promise<readonly Row[]> {
    const found: Row[] = [];
    for (let after = ''; ;) {
      const { status, body } = await this.get(`${path}?limit=${String(PAGE)}${after}`);
      if (status !== 200) throw new Error(`listing ${path}: ${String(status)} ${body}`);
      const page = JSON.parse(body) as readonly Row[];
      found.push(...page);
      const last = page.at(-1);
      if (page.length < PAGE || last === undefined) return found;
      after = `&after=${String(last['id'])}`;
    }
  }

  private async list(collection: Collection): Promise<Stored> {
    const rows = await this.rows(`/${collection}`);
    return new Map(rows.map((row) => [Number(row['id']), contentOf(collection, row)]));
  }
}

/** Every field follows from the content, so that a mixture of two writes is seen. */
export function inputOf(collection: Collection, content: string): Row {
  return collection === 'books'
    ? { title: content, author: `author ${content}`, price: content.length, quantity: content.length }
    : { name: content, email: `${content.replaceAll(' ', '.')}@example.org` };
}

export function contentOf(collection: Collection, item: Row): string {
  const content = String(collection === 'books' ? item['title'] : item['name']);
  const expected = inputOf(collection, content);
  const isWhole = Object.entries(expected).every(([name, value]) => item[name] === value);
  return isWhole ? content : `a mixture: ${JSON.stringify(item)}`;
}
