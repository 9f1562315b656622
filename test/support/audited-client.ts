import type { SeededRandom } from './seeded-random.js';

export type Collection = 'books' | 'customers';

/** `content` is used for one request only, so that what is found later tells which request wrote it. */
export interface WriteRequest {
  readonly key: string;
  readonly action: 'create' | 'replace' | 'delete';
  readonly collection: Collection;
  /** Undefined exactly for `create`. */
  readonly id: number | undefined;
  readonly content: string;
}

export interface Reply {
  readonly status: number;
  readonly body: string;
}

/** Sends one request. Undefined: no answer came, so it may or may not have been done. */
export type Send = (request: WriteRequest) => Promise<Reply | undefined>;

/** What is stored, by id. */
export type Stored = ReadonlyMap<number, string>;

const NOTHING_WRITTEN: ReadonlySet<number> = new Set([429, 503]);
/** Not yet confirmed, or unknown: to be asked for again with the key. */
const OPEN: ReadonlySet<number> = new Set([202, 504]);

/**
 * One client that writes to resources of its own, one request at a time, and believes only what it was told. A request
 * without an answer stays open until it is repeated with its key; until then nothing else is sent.
 */
export class AuditedClient {
  readonly owned = new Map<number, string>();
  /** Not known to be done, or not done, so far. */
  open: WriteRequest | undefined;
  /** What said so; undefined when no answer came. */
  openReply: Reply | undefined;
  acknowledged = 0;
  refused = 0;
  private readonly answered: { readonly request: WriteRequest; readonly reply: Reply }[] = [];
  private readonly broken: string[] = [];
  private sent = 0;

  constructor(
    readonly name: string,
    readonly collection: Collection,
    private readonly random: SeededRandom,
  ) {}

  /** One sentence for each promise that was broken towards this client. */
  get complaints(): readonly string[] {
    return this.broken;
  }

  /** False when no answer came that says whether it is done. */
  async write(send: Send): Promise<boolean> {
    if (this.open) throw new Error('an open request must be repeated first');
    return this.deliver(this.nextRequest(), send);
  }

  /** Asks again for what was not answered, with the same key; now it must be done, once. */
  async repeatOpen(send: Send): Promise<boolean> {
    const request = this.open;
    return request === undefined || this.deliver(request, send);
  }

  /** Sends `count` answered requests once more: each must get the answer that it got. */
  async replay(send: Send, count: number): Promise<void> {
    for (let left = Math.min(count, this.answered.length); left > 0; left -= 1) {
      const { request, reply } = this.answered[this.random.below(this.answered.length)]!;
      const again = await send(request);
      if (again?.status === reply.status && again.body === reply.body) continue;
      this.broken.push(`${describe(request)} was answered ${told(reply)} and, when repeated, ${told(again)}`);
    }
  }

  private nextRequest(): WriteRequest {
    this.sent += 1;
    const key = `${this.name} ${String(this.sent)}`;
    const ids = [...this.owned.keys()];
    const dice = this.random.below(100);
    const id = ids.length < 2 || dice < 50 ? undefined : ids[this.random.below(ids.length)];
    const action = id === undefined ? 'create' : dice < 85 ? 'replace' : 'delete';
    return { key, action, collection: this.collection, id, content: `by ${key}` };
  }

  private async deliver(request: WriteRequest, send: Send): Promise<boolean> {
    this.open = request;
    const reply = await send(request);
    this.openReply = reply;
    if (reply === undefined || OPEN.has(reply.status)) return false;
    this.open = undefined;
    this.settle(request, reply);
    return true;
  }

  private settle(request: WriteRequest, reply: Reply): void {
    const { action, id, content } = request;
    if (NOTHING_WRITTEN.has(reply.status)) {
      this.refused += 1;
    } else if (action === 'create' && reply.status === 201) {
      this.owned.set((JSON.parse(reply.body) as { id: number }).id, content);
    } else if (action === 'replace' && reply.status === 200 && id !== undefined) {
      this.owned.set(id, content);
    } else if (action === 'delete' && reply.status === 204 && id !== undefined) {
      this.owned.delete(id);
    } else {
      this.broken.push(`${describe(request)} got ${told(reply)}`);
      return;
    }
    if (reply.status >= 300) return;
    this.acknowledged += 1;
    this.answered.push({ request, reply });
  }
}

/**
 * One sentence for each broken promise. What a client was told is there, what it was refused is not, nothing is there
 * twice, and what is there without an acknowledgement is the one request that is still open.
 */
export function audit(clients: readonly AuditedClient[], stored: Readonly<Record<Collection, Stored>>): string[] {
  const broken = clients.flatMap((client) => [...client.complaints]);
  for (const collection of ['books', 'customers'] as const) {
    const unclaimed = new Map(stored[collection]);
    const ofCollection = clients.filter((client) => client.collection === collection);
    for (const client of ofCollection) broken.push(...claim(client, unclaimed));
    const openCreates = ofCollection.flatMap(({ open }) => (open?.action === 'create' ? [open.content] : []));
    for (const [id, content] of unclaimed) {
      const index = openCreates.indexOf(content);
      if (index === -1)
        broken.push(`${collection}/${String(id)} "${content}" exists, but no client received this answer`);
      else openCreates.splice(index, 1);
    }
  }
  return broken;
}

function claim({ collection, owned, open }: AuditedClient, unclaimed: Map<number, string>): string[] {
  return [...owned].flatMap(([id, content]) => {
    const found = unclaimed.get(id);
    unclaimed.delete(id);
    const isOpen = open !== undefined && open.id === id;
    const mayBe = isOpen ? [content, open.action === 'delete' ? undefined : open.content] : [content];
    if (mayBe.includes(found)) return [];
    return [`${collection}/${String(id)} should be "${content}" and is ${found === undefined ? 'gone' : `"${found}"`}`];
  });
}

function describe({ action, collection, id, key }: WriteRequest): string {
  return `${action} ${collection}/${String(id ?? '')} with key "${key}"`;
}

function told(reply: Reply | undefined): string {
  return reply === undefined ? 'nothing' : `${String(reply.status)} ${reply.body}`;
}
