import { Agent, request } from 'undici';
import type { Collection, Reply, Send, Stored } from './audited-client.js';

const PAGE = 1_000;
const METHODS = { create: 'POST', replace: 'PUT', delete: 'DELETE' } as const;

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

  readonly send: Send = async ({ key, action, collection, id, content }) => {
    const path = id === undefined ? collection : `${collection}/${String(id)}`;
    try {
      const { statusCode, headers, body } = await request(`${this.url}/${path}`, {
        dispatcher: this.agent,
        method: METHODS[action],
        headers: { 'idempotency-key': key, 'content-type': 'application/json' },
        body: action === 'delete' ? null : JSON.stringify(inputOf(collection, content)),
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
  };

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

  private async list(collection: Collection): Promise<Stored> {
    const found = new Map<number, string>();
    for (let after = 0; ;) {
      const { status, body } = await this.get(`/${collection}?limit=${String(PAGE)}&after=${String(after)}`);
      if (status !== 200) throw new Error(`listing ${collection}: ${String(status)} ${body}`);
      const page = JSON.parse(body) as ({ readonly id: number } & Readonly<Record<string, unknown>>)[];
      for (const item of page) found.set(item.id, contentOf(collection, item));
      const last = page.at(-1);
      if (page.length < PAGE || last === undefined) return found;
      after = last.id;
    }
  }
}

/** Every field follows from the content, so that a mixture of two writes is seen. */
function inputOf(collection: Collection, content: string): Readonly<Record<string, unknown>> {
  return collection === 'books'
    ? { title: content, author: `author ${content}`, price: content.length, quantity: content.length }
    : { name: content, email: `${content.replaceAll(' ', '.')}@example.org` };
}

function contentOf(collection: Collection, item: Readonly<Record<string, unknown>>): string {
  const content = String(collection === 'books' ? item['title'] : item['name']);
  const expected = inputOf(collection, content);
  const isWhole = Object.entries(expected).every(([name, value]) => item[name] === value);
  return isWhole ? content : `a mixture: ${JSON.stringify(item)}`;
}
