import { AppError } from '../../src/kernel/index.js';
import { type NodeAnswer, type NodeCall, NodeClient } from '../../src/platform/node-client/index.js';

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

/** What is late may be late by any time. */
const AS_LONG_AS_IT_TAKES_MS = 60_000;
const EVERY_ID_HEADER = ['x-operation-id', 'x-group-version', 'x-group-version-after', 'x-undo'];

export class FaultyCalls {
  private readonly client = new NodeClient();
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

  readonly call: NodeClient['call'] = async (origin, request, timeoutMs) => {
    const call = (withinMs = timeoutMs): Promise<NodeAnswer> => this.pass(origin, request, withinMs);
    const fault = this.faultFor(new URL(origin).host, stepOf(request));
    if (fault !== undefined) this.struck += 1;
    switch (fault) {
      case undefined:
        return call();
      case 'late':
        this.late.push(() => call(AS_LONG_AS_IT_TAKES_MS));
        throw failure('no answer in time', 'unknown');
      case 'answer-lost':
        await call();
        throw failure('reset after the work', 'unknown');
      case 'reset':
        throw failure('reset', 'unknown');
      case 'error':
        return answered(500);
      case 'error-after':
        await call();
        return answered(500);
      case 'busy':
        return answered(429, { 'retry-after': '0' });
      case 'gone':
        throw failure('nothing is listening there', 'safe');
    }
  };

  private faultFor(node: string, step: NodeStep): NodeFault | undefined {
    const planned = this.planned.find(({ fault, left }) => left > 0 && fault.node === node && fault.step === step);
    if (planned === undefined) return undefined;
    planned.left -= 1;
    return planned.fault.fault;
  }

  private async pass(origin: string, request: NodeCall, timeoutMs: number): Promise<NodeAnswer> {
    if (new URL(origin).host !== this.plain) return this.client.call(origin, request, timeoutMs);
    const answer = await this.client.call(origin, { ...request, headers: plainHeaders(request.headers) }, timeoutMs);
    return { ...answer, headers: plainHeaders(answer.headers) };
  }
}

function stepOf({ method, headers }: NodeCall): NodeStep {
  if (headers?.['x-undo'] !== undefined) return 'undo';
  return method === 'GET' ? 'look' : 'write';
}

function plainHeaders<T extends NodeAnswer['headers']>(headers: T | undefined): Record<string, string> {
  const plain = Object.entries(headers ?? {}).filter(([name]) => !EVERY_ID_HEADER.includes(name));
  return Object.fromEntries(plain.map(([name, value]) => [name, String(value)]));
}

function answered(status: number, headers: Readonly<Record<string, string>> = {}): NodeAnswer {
  return { status, headers, body: Buffer.from('{}') };
}

function failure(message: string, retry: 'safe' | 'unknown'): AppError {
  return new AppError(retry === 'safe' ? 'not-ready' : 'outcome-unknown', message, { retry });
}
