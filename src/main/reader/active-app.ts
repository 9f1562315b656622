import { isAppError } from '../../kernel/index.js';
import type { NodeAnswer, NodeCall, NodeClient } from '../../platform/node-client/index.js';

const DEFAULT_URL = 'http://127.0.0.1:5050';

export interface ActiveAppOptions {
  readonly client: Pick<NodeClient, 'call'>;
  /** URLs at which the app may be. Empty: `noted` says it. */
  readonly urls: readonly string[];
  /** The URL that the app itself has noted in the data directory; undefined when there is no note. */
  readonly noted: () => string | undefined;
}

/** Finds the app. An address that answered is asked first the next time; the others follow while no byte was sent. */
export class ActiveApp {
  private last: string | undefined;

  constructor(private readonly options: ActiveAppOptions) {}

  /** Rejects as `NodeClient.call` does: with `retry: 'safe'` when no address could be reached. */
  async call(call: NodeCall, timeoutMs: number): Promise<NodeAnswer> {
    const { client, urls, noted } = this.options;
    const isUnreached = (error: unknown): boolean => isAppError(error) && error.retry === 'safe';
    const ask = async (url: string): Promise<NodeAnswer> => {
      const answer = await client.call(url, call, timeoutMs);
      this.last = url;
      return answer;
    };
    let unreached: unknown;
    if (this.last !== undefined) {
      try {
        return await ask(this.last);
      } catch (error) {
        if (!isUnreached(error)) throw error;
        unreached = error;
      }
    }
    // The app may have started again on another port meanwhile.
    const others = (urls.length > 0 ? urls : [noted() ?? DEFAULT_URL]).filter((url) => url !== this.last);
    for (const url of others) {
      try {
        return await ask(url);
      } catch (error) {
        if (!isUnreached(error)) throw error;
        unreached ??= error;
      }
    }
    throw unreached;
  }
}
