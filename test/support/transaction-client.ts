import type { Reply } from './audited-client.js';
import type { SeededRandom } from './seeded-random.js';

/** What a client asks for, by the stores that it touches. */
export type TransactionAction =
  'book and bump' | 'book' | 'customer' | 'user in both' | 'user in SQL' | 'user in documents';

/** `content` is used for one request only, so that what is found later tells which request wrote it. */
export interface TransactionRequest {
  readonly key: string;
  readonly action: TransactionAction;
  readonly content: string;
  /** Of a user, where the client chooses it. */
  readonly id: number | undefined;
}

/** Sends one request. Undefined: no answer came, so it may or may not have been done. */
export type SendTransaction = (request: TransactionRequest) => Promise<Reply | undefined>;

/** What all clients of one history have in common. */
export class Meeting {
  /** The highest that anyone was told. */
  highestUserId = 0;
  private last = 0;

  /** Moments in the order in which they happen. */
  nextMoment(): number {
    this.last += 1;
    return this.last;
  }
}

export interface Exchange {
  readonly request: TransactionRequest;
  /** The moment of the first attempt. */
  readonly sentAt: number;
  readonly answeredAt: number;
  readonly reply: Reply;
}

export type OpenExchange = Pick<Exchange, 'request' | 'sentAt'>;

/** How often, in a hundred requests. */
export type Mix = Readonly<Partial<Record<TransactionAction, number>>>;

export const WHOLE_MIX: Mix = {
  'book and bump': 45,
  book: 7,
  customer: 8,
  'user in both': 30,
  'user in SQL': 5,
  'user in documents': 5,
};

/** Many want the same ids at the same time, so that a store often refuses what the other has promised. */
export const CONTENTION: Mix = {
  'book and bump': 10,
  customer: 5,
  'user in both': 55,
  'user in SQL': 30,
};

/** Not done, and nothing of it is anywhere. */
const REFUSED: ReadonlySet<number> = new Set([429, 503]);
/** Not known yet: to be asked for again with the key. */
const OPEN: ReadonlySet<number> = new Set([202, 504]);
/** A chosen id is this far, at most, above the highest that anyone was told: others want it at the same time. */
const REACH_OF_CHOSEN_IDS = 3;

/**
 * One client that writes to both stores, one request at a time, and believes only what it was told. A request without
 * an answer that says whether it is done stays open until it is repeated with its key; until then nothing else is sent.
 */
export class TransactionClient {
  /** Told to be done, oldest first. */
  readonly done: Exchange[] = [];
  /** Told not to be done. */
  readonly refused: Exchange[] = [];
  /** One sentence for each promise that was broken towards this client. */
  readonly complaints: string[] = [];
  open: OpenExchange | undefined;
  /** The names of the operations of its 202 answers, with what they were about. */
  readonly unconfirmed: { readonly operationId: string; readonly request: TransactionRequest }[] = [];
  private sent = 0;

  constructor(
    readonly name: string,
    private readonly random: SeededRandom,
    private readonly meeting: Meeting,
    private readonly mix: Mix = WHOLE_MIX,
  ) {}

  /** False when no answer came that says whether it is done. */
  async write(send: SendTransaction, action: TransactionAction = this.nextAction()): Promise<boolean> {
    if (this.open) throw new Error('an open request must be repeated first');
    return this.deliver({ request: this.nextRequest(action), sentAt: this.meeting.nextMoment() }, send);
  }

  /** Asks again for what was not answered, with the same key; true when it is answered now, or nothing was open. */
  async repeatOpen(send: SendTransaction): Promise<boolean> {
    return this.open === undefined || this.deliver(this.open, send);
  }

  /** Sends `count` requests that were done once more: each must get the answer that it got. */
  async replay(send: SendTransaction, count: number): Promise<void> {
    for (let left = Math.min(count, this.done.length); left > 0; left -= 1) {
      const { request, reply } = this.done[this.random.below(this.done.length)]!;
      const again = await send(request);
      if (again?.status === reply.status && again.body === reply.body) continue;
      this.complaints.push(
        `${describeRequest(request)} was answered ${told(reply)} and, when repeated, ${told(again)}`,
      );
    }
  }

  private nextAction(): TransactionAction {
    const entries = Object.entries(this.mix) as [TransactionAction, number][];
    let dice = this.random.below(entries.reduce((sum, [, weight]) => sum + weight, 0));
    return entries.find(([, weight]) => (dice -= weight) < 0)![0];
  }

  private nextRequest(action: TransactionAction): TransactionRequest {
    this.sent += 1;
    const key = `${this.name} ${String(this.sent)}`;
    const isChosen = action === 'user in documents' || (action === 'user in both' && this.random.chance(0.5));
    const id = isChosen ? this.meeting.highestUserId + 1 + this.random.below(REACH_OF_CHOSEN_IDS) : undefined;
    return { key, action, id, content: `by ${key}` };
  }

  private async deliver(exchange: OpenExchange, send: SendTransaction): Promise<boolean> {
    this.open = exchange;
    const reply = await send(exchange.request);
    if (reply === undefined || OPEN.has(reply.status)) {
      if (reply?.status === 202) this.unconfirmed.push({ ...exchange, operationId: operationIn(reply) });
      return false;
    }
    this.open = undefined;
    this.settle({ ...exchange, reply, answeredAt: this.meeting.nextMoment() });
    return true;
  }

  private settle(exchange: Exchange): void {
    const { request, reply } = exchange;
    const isTaken = reply.status === 409 && request.action.startsWith('user');
    if (REFUSED.has(reply.status) || isTaken) {
      this.refused.push(exchange);
    } else if (reply.status === 201) {
      this.done.push(exchange);
      if (!request.action.startsWith('user')) return;
      this.meeting.highestUserId = Math.max(this.meeting.highestUserId, idToldIn(exchange));
    } else {
      this.complaints.push(`${describeRequest(request)} got ${told(reply)}`);
    }
  }
}

/** Of what was created: of the book, the customer or the user. */
export function idToldIn({ request, reply }: Exchange): number {
  const body = JSON.parse(reply.body) as { readonly id?: unknown; readonly book?: { readonly id: unknown } };
  return Number(request.action === 'book and bump' ? body.book?.id : body.id);
}

/** Undefined: it was none. */
export function transactionIn({ reply }: Exchange): string | undefined {
  return (JSON.parse(reply.body) as { readonly transactionId?: string }).transactionId;
}

export function describeRequest({ action, id, key }: TransactionRequest): string {
  return `${action}${id === undefined ? '' : ` ${String(id)}`} with key "${key}"`;
}

function operationIn({ body }: Reply): string {
  return (JSON.parse(body) as { readonly operationId: string }).operationId;
}

function told(reply: Reply | undefined): string {
  return reply === undefined ? 'nothing' : `${String(reply.status)} ${reply.body}`;
}
