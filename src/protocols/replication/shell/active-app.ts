import { AppError, isAppError } from '../../../kernel/index.js';
import { CLUSTER_HEADER } from '../../../platform/http/index.js';
import type { NodeAnswer, NodeCall, NodeClient } from '../../../platform/node-client/index.js';

const MISDIRECTED = 421;

export interface ActiveAppOptions {
  readonly client: Pick<NodeClient, 'call'>;
  /** URLs at which the app may be, the likeliest first. */
  readonly urls: () => readonly string[];
  /** What a caller is told while there is no URL. */
  readonly nowhere: string;
  /** A monotonic clock. */
  readonly nowMs: () => number;
}

/** Finds the app of this installation, and no other: a write elsewhere would be acknowledged and missing here. */
export class ActiveApp {
  /** Asked first: the address that answered last, or the one after the address that could not be reached. */
  private first = '';

  constructor(private readonly options: ActiveAppOptions) {}

  /**
   * Asks the addresses in turn, within one deadline, until the app is reached. Rejects as `NodeClient.call` does: with
   * `retry: 'safe'` when the app was not reached.
   */
  async call(call: NodeCall, timeoutMs: number): Promise<NodeAnswer> {
    const { urls, nowMs, nowhere } = this.options;
    if (call.headers?.[CLUSTER_HEADER] === undefined) {
      throw unreachable('the cluster secret is not known here: start the app, or set CLUSTER_SECRET as at the app');
    }
    const named = urls();
    const from = Math.max(0, named.indexOf(this.first));
    const deadlineMs = nowMs() + timeoutMs;
    let unreached: AppError | undefined;
    for (const url of [...named.slice(from), ...named.slice(0, from)]) {
      const leftMs = deadlineMs - nowMs();
      if (leftMs <= 0) break;
      try {
        const answer = await this.ask(url, call, leftMs);
        this.first = url;
        return answer;
      } catch (error) {
        if (!isAppError(error) || error.retry !== 'safe') throw error;
        unreached ??= error;
        this.first = named[named.indexOf(url) + 1] ?? '';
      }
    }
    throw unreached ?? unreachable(nowhere);
  }

  private async ask(url: string, call: NodeCall, timeoutMs: number): Promise<NodeAnswer> {
    const answer = await this.options.client.call(url, call, timeoutMs);
    if (answer.status !== MISDIRECTED) return answer;
    throw unreachable(`${url} is not the app of this installation: it has another cluster secret; check APP_ADDRESSES`);
  }
}

function unreachable(message: string): AppError {
  return new AppError('not-ready', message, { retry: 'safe' });
}
