/** A misbehaving node before a real one: calls pass through here, and some go wrong. */

export type NodeStep = 'look' | 'write' | 'undo';

/**
 * - `late`: no answer in time; the call arrives when `deliverLate` is called.
 * - `answer-lost`: the work is done, and the connection is reset.
 * - `reset`: the connection is reset before the node has read anything.
 * - `error`, `error-after`: 500 instead of doing the work, and after it.
 * - `busy`: 429.
 * - `gone`: nothing listens.
 */
export type NodeFault = 'late' | 'answer-lost' | 'reset' | 'error' | 'error-after' | 'busy' | 'gone';
export const NODE_FAULTS: readonly NodeFault[] = [
  'late',
  'answer-lost',
  'reset',
  'error',
  'error-after',
  'busy',
  'gone',
];

export interface PlannedFault {
  /** `host:port`. */
  readonly node: string;
  readonly step: NodeStep;
  readonly fault: NodeFault;
  /** How many calls go wrong from the first on. */
  readonly times: number;
}

const EVERY_ID_HEADER = ['x-operation-id', 'x-group-version', 'x-group-version-after', 'x-undo'];

export class FaultyFetch {
  private planned: { fault: PlannedFault; left: number }[] = [];
  private readonly late: (() => Promise<unknown>)[] = [];
  private struck = 0;

  /** `plain`: this node does not know what operation ids are. */
  constructor(private readonly plain?: string) {}

  /** How many calls went wrong. */
  get strikes(): number {
    return this.struck;
  }

  plan(faults: readonly PlannedFault[]): void {
    this.planned = faults.map((fault) => ({ fault, left: fault.times }));
  }

  heal(): void {
    this.planned = [];
  }

  /** Lets the calls that nobody waits for any more arrive, one after the other. */
  async deliverLate(): Promise<void> {
    for (const call of this.late.splice(0)) await call();
  }

  readonly fetch: typeof fetch = async (input, init = {}) => {
    const url = new URL(input);
    const headers = new Headers(init.headers);
    const call = (signal: AbortSignal | null = init.signal ?? null): Promise<Response> =>
      this.pass(url, { ...init, headers, signal });
    const fault = this.faultFor(url.host, stepOf(init.method ?? 'GET', headers));
    if (fault !== undefined) this.struck += 1;
    switch (fault) {
      case undefined:
        return call();
      case 'late':
        this.late.push(() => call(null).then((response) => response.arrayBuffer()));
        throw new DOMException('no answer in time', 'TimeoutError');
      case 'answer-lost':
        await (await call()).arrayBuffer();
        throw failure('ECONNRESET');
      case 'reset':
        throw failure('ECONNRESET');
      case 'error':
        return new Response('{}', { status: 500 });
      case 'error-after':
        await (await call()).arrayBuffer();
        return new Response('{}', { status: 500 });
      case 'busy':
        return new Response('{}', { status: 429, headers: { 'retry-after': '0' } });
      case 'gone':
        throw failure('ECONNREFUSED');
    }
  };

  private faultFor(node: string, step: NodeStep): NodeFault | undefined {
    const planned = this.planned.find(({ fault, left }) => left > 0 && fault.node === node && fault.step === step);
    if (planned === undefined) return undefined;
    planned.left -= 1;
    return planned.fault.fault;
  }

  private async pass(url: URL, init: RequestInit): Promise<Response> {
    if (url.host !== this.plain) return fetch(url, init);
    const headers = new Headers(init.headers);
    for (const name of EVERY_ID_HEADER) headers.delete(name);
    const response = await fetch(url, { ...init, headers });
    const answered = new Headers(response.headers);
    for (const name of EVERY_ID_HEADER) answered.delete(name);
    return new Response(await response.text(), { status: response.status, headers: answered });
  }
}

function stepOf(method: string, headers: Headers): NodeStep {
  if (headers.has('x-undo')) return 'undo';
  return method === 'GET' ? 'look' : 'write';
}

function failure(code: string): TypeError {
  return new TypeError('fetch failed', {
    cause: Object.assign(new Error(code), { code, syscall: code === 'ECONNREFUSED' ? 'connect' : 'read' }),
  });
}
