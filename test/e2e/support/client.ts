import { expect } from '@jest/globals';
import { randomUUID } from 'node:crypto';

export interface FieldProblem {
  readonly field: string;
  readonly message: string;
}

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: string;
  readonly errors?: readonly FieldProblem[];
}

/** One answer, with its body read. */
export class Answer {
  constructor(
    readonly status: number,
    private readonly headers: Headers,
    readonly text: string,
  ) {}

  /** Empty when absent, so that a test may match it at once. */
  header(name: string): string {
    return this.headers.get(name) ?? '';
  }

  hasHeader(name: string): boolean {
    return this.headers.has(name);
  }

  json<T = Record<string, unknown>>(): T {
    return JSON.parse(this.text) as T;
  }

  /** The answer as a refusal of this status, naming these fields. */
  problem(status: number, ...fields: readonly string[]): Problem {
    expect(`${String(this.status)} ${this.text}`).toMatch(new RegExp(`^${String(status)} `));
    const problem = this.json<Problem>();
    const named = new Set(problem.errors?.map(({ field }) => field));
    if (fields.length > 0) expect(named).toEqual(new Set(fields));
    return problem;
  }
}

export interface Asking {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is; wins over `json`. */
  readonly body?: string | Uint8Array | ReadableStream<Uint8Array>;
}

/** Speaks to one base address. Every answer is held to the rules that all answers share. */
export class Client {
  constructor(
    private readonly baseUrl: string,
    private readonly headers: Readonly<Record<string, string>> = {},
  ) {}

  with(headers: Readonly<Record<string, string>>): Client {
    return new Client(this.baseUrl, { ...this.headers, ...headers });
  }

  /** `Content-Type` is JSON with `json`, and none with `body` unless the headers say one. */
  async send(method: string, path: string, { headers = {}, json, body }: Asking = {}): Promise<Answer> {
    const isJson = body === undefined && json !== undefined;
    const response = await fetch(this.baseUrl + path, {
      method,
      redirect: 'manual',
      headers: { ...(isJson && { 'content-type': 'application/json' }), ...this.headers, ...headers },
      ...(isJson && { body: JSON.stringify(json) }),
      // A string would be given a content type by fetch.
      ...(body !== undefined && { body: typeof body === 'string' ? new TextEncoder().encode(body) : body }),
      ...(body instanceof ReadableStream && { duplex: 'half' }),
    });
    const answer = new Answer(response.status, response.headers, await response.text());
    holdToCommonRules(answer, method);
    return answer;
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.send('GET', path, { headers });
  }

  post(path: string, json?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.send('POST', path, { json, headers });
  }

  put(path: string, json?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.send('PUT', path, { json, headers });
  }

  delete(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.send('DELETE', path, { headers });
  }

  /** Adds one and gives its path. */
  async add(path: string, json: unknown): Promise<string> {
    const answer = await this.post(path, json);
    expect(answer.status).toBe(201);
    return answer.header('location');
  }
}

/** A key that no other test uses. */
export function newKey(): string {
  return `key-${randomUUID()}`;
}

/** No answer is ever 500, HTML or a stack trace; every one carries a request id; every refusal is a whole problem. */
function holdToCommonRules(answer: Answer, method: string): void {
  const shown = `${method} -> ${String(answer.status)} ${answer.text.slice(0, 500)}`;
  const rule = { shown, isExpected: true };
  expect({ shown, isExpected: answer.status < 500 || [503, 504].includes(answer.status) }).toEqual(rule);
  expect({ shown, isExpected: answer.header('x-request-id') !== '' }).toEqual(rule);
  if (answer.status === 204 || answer.status === 304) expect(answer.text).toBe('');
  if (answer.status < 400) return;
  expect({ shown, isExpected: answer.header('content-type').startsWith('application/problem+json') }).toEqual(rule);
  if ([429, 503].includes(answer.status)) expect(answer.header('retry-after')).toMatch(/^[1-9]\d*$/);
  if (method === 'HEAD') return;
  const problem = answer.json<Problem>();
  expect(problem).toMatchObject({
    type: `urn:bifolio:problem:${problem.code}`,
    title: expect.stringMatching(/./),
    status: answer.status,
    detail: expect.stringMatching(/./),
    instance: expect.stringMatching(/./),
    code: expect.stringMatching(/^[a-z-]+$/),
  });
  expect(answer.text).not.toMatch(/\n\s+at |node_modules|<html/i);
}
