import { expect } from './expect.js';

/** Enough to keep every server busy, the same everywhere. */
export const CONNECTIONS = 50;

export interface Load {
  readonly url: string;
  /** Whole seconds. */
  readonly seconds: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Absent: CONNECTIONS. */
  readonly connections?: number;
  /** Absent: GET. `{n}` in the body becomes a number of 12 digits, another for each request, from `firstNumber` on. */
  readonly write?: { readonly method: 'POST' | 'PUT'; readonly body: string; readonly firstNumber: number };
  /** POSTs without a body. `{n}` in the path becomes a number, another for each request, from `firstNumber` on. */
  readonly posts?: { readonly path: string; readonly firstNumber: number };
}

export interface LoadResult {
  /** Answers that came back whole. At most CONNECTIONS more requests had been sent when the time was over. */
  readonly answered: number;
  readonly perSecond: number;
  /** Bytes received per answer, headers included. */
  readonly bytesPerAnswer: number;
}

/** What a generator has counted. */
export interface LoadCount {
  readonly requests: number;
  readonly seconds: number;
  readonly bytes: number;
  /** Answers with a status of 400 or more. */
  readonly refused: number;
  /** Connections that failed and requests without an answer. */
  readonly broken: number;
}

export interface LoadGenerator {
  readonly name: string;
  /** True when it costs more than the servers it drives, so that all of them look alike slow. */
  readonly boundsFigures: boolean;
  run(load: Load): Promise<LoadCount>;
}

/** Rejects with WrongAnswer when any request was refused or lost. */
export async function drive(generator: LoadGenerator, load: Load): Promise<LoadResult> {
  const { requests, seconds, bytes, refused, broken } = await generator.run(load);
  expect(refused === 0, `${load.url}: ${refused} of ${requests} answers had a status of 400 or more`);
  expect(broken === 0, `${load.url}: ${broken} requests got no answer`);
  expect(requests > 0, `${load.url}: no answer in ${seconds} s`);
  return { answered: requests, perSecond: requests / seconds, bytesPerAnswer: bytes / requests };
}
