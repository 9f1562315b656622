import type { Cluster } from 'ioredis';
import type { Log } from '../../kernel/index.js';
import type { CalledNode } from './called-node.js';
import { refusalOfPassword } from './error-replies.js';
import { OutageLog } from './outage-log.js';

const CLUSTER = 'the Redis Cluster';
/** A start of all nodes takes some seconds until they serve. */
const FORMS_WITHIN_MS = 5_000;

export interface RedisOutagesPorts {
  readonly log: Log;
  readonly nowMs: () => number;
  /** What the users of the client do while nodes do not answer; stands in the log lines. */
  readonly meanwhile?: () => string;
  /** Preset: REDIS_PASSWORD is to be set. */
  readonly passwordRemedy?: string;
}

/** Says in the log which nodes a client skips and why, and when the whole cluster cannot be reached. */
export class RedisOutages {
  private readonly outages: OutageLog;

  constructor(private readonly ports: RedisOutagesPorts) {
    this.outages = new OutageLog(ports.log, ports.nowMs);
  }

  /** The driver reconnects without an error while the nodes answer that the cluster is down, as they do while it forms. */
  watch(cluster: Cluster): void {
    const { nowMs } = this.ports;
    let problem: Error | undefined;
    let awayFromMs: number | undefined;
    cluster.on('error', (error: Error & { readonly lastNodeError?: Error | null }) => {
      problem = error.lastNodeError ?? error;
    });
    cluster.on('reconnecting', () => {
      awayFromMs ??= nowMs();
      if (problem === undefined && nowMs() - awayFromMs < FORMS_WITHIN_MS) return;
      this.failed(CLUSTER, 'cannot be reached', problem ?? new Error('the nodes say that the cluster is down'));
    });
    cluster.on('ready', () => {
      problem = undefined;
      awayFromMs = undefined;
      this.outages.ended(CLUSTER);
    });
  }

  /** Call it at each failure. */
  nodeFailed(node: CalledNode, error: Error): void {
    this.failed(titleOf(node), 'is skipped until it answers', error);
  }

  nodeAnswers(node: CalledNode): void {
    this.outages.ended(titleOf(node));
  }

  private failed(subject: string, state: string, error: Error): void {
    const { meanwhile, passwordRemedy = 'set REDIS_PASSWORD to the password of the cluster' } = this.ports;
    const refusal = refusalOfPassword(error);
    const problem = refusal === undefined ? state : `${refusal}: ${passwordRemedy}`;
    const details = { error: String(error), ...(meanwhile && { meanwhile: meanwhile() }) };
    this.outages.failed(subject, `${subject} ${problem}`, details);
  }
}

function titleOf({ name }: CalledNode): string {
  return `Redis node ${name}`;
}
