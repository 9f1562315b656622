import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError } from '../../kernel/index.js';
import {
  BODY_LIMIT_BYTES,
  BodyMemory,
  type BodyShare,
  CLUSTER_HEADER,
  COUNTED_HEADER,
  isAcceptableRequestId,
  isReading,
  receiveBody,
  toAppError,
} from '../../platform/http/index.js';
import type { HoldingLimits } from '../../protocols/failover/index.js';
import type { ClusterProof } from '../../protocols/replication/index.js';
import { kindOf } from './app-connections.js';
import { ClientSide } from './client-side.js';
import { Exchange, type ExchangePorts, type Outcome } from './exchange.js';
import { addressOf, type ForwardedRequest, forwardedMessage, forwardedRequest } from './forwarded-request.js';

export interface RequestsOptions extends Omit<ExchangePorts, 'over'> {
  /** Of requests that wait for a password. */
  readonly passwordLimits: HoldingLimits;
  readonly proof: Pick<ClusterProof, 'known' | 'isProvedBy'>;
  /** Why this gateway does not serve the name that a request calls; undefined when it does. */
  readonly refusalOfHost: (request: IncomingMessage) => AppError | undefined;
  readonly corsOrigins: ReadonlySet<string>;
  readonly newKey: () => string;
  readonly newRequestId: () => string;
  readonly ended: (exchange: Exchange, outcome: Outcome) => void;
}

/** All requests that go on to the app, from their head to their answer. */
export class Requests {
  private readonly open = new Set<Exchange>();
  private readonly bodies = new BodyMemory();
  private readonly ports: ExchangePorts;
  private readonly passwordPorts: ExchangePorts;
  private isStopping = false;

  constructor(private readonly options: RequestsOptions) {
    this.ports = {
      ...options,
      app: options.app,
      over: (exchange, outcome) => {
        this.open.delete(exchange);
        options.ended(exchange, outcome);
      },
    };
    this.passwordPorts = { ...this.ports, limits: options.passwordLimits };
  }

  /** The requests that wait for an active process. */
  get held(): number {
    let count = 0;
    for (const exchange of this.open) if (exchange.isHeld) count += 1;
    return count;
  }

  receive(request: IncomingMessage, response: ServerResponse): void {
    const { headers } = request;
    const given = headers['x-request-id'];
    const hasId = isAcceptableRequestId(given);
    const { newRequestId, corsOrigins } = this.options;
    const client = new ClientSide(request, response, hasId ? given : newRequestId(), corsOrigins);
    const isFromCluster = this.isFromCluster(request);
    const refusal = this.refusalOf(request, isFromCluster);
    const forwarded = refusal ? undefined : forwardedRequest(request);
    if (!forwarded) {
      client.refuse(refusal ?? noResource());
      request.resume();
      return;
    }
    if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) {
      this.begin(request, forwarded, client, { isFromCluster, body: undefined });
      return;
    }
    const share = this.bodies.open();
    const announcedBytes = Number(headers['content-length'] ?? 0);
    receiveBody(request, { announcedBytes, limitBytes: BODY_LIMIT_BYTES, share }, (error, body) => {
      if (error) {
        share.giveBack();
        client.refuse(toAppError(error));
        return;
      }
      this.begin(request, forwarded, client, { isFromCluster, body, share });
    });
  }

  /** A process is active that was not before. */
  goOn(): void {
    for (const exchange of this.open) if (exchange.isHeld) exchange.lookForActive();
  }

  /** Ends what has waited for too long. To be called often. */
  timePassed(): void {
    const now = this.options.nowMs();
    for (const exchange of this.open) if (exchange.deadlineMs <= now) exchange.timePassed();
  }

  /** Answers all that has no answer yet, and refuses what comes later. */
  stop(): void {
    this.isStopping = true;
    for (const exchange of [...this.open]) exchange.stop();
  }

  private begin(
    request: IncomingMessage,
    forwarded: ForwardedRequest,
    client: ClientSide,
    { isFromCluster, body, share }: { isFromCluster: boolean; body: Buffer | undefined; share?: BodyShare },
  ): void {
    const { method, path, clientKey } = forwarded;
    const isRead = isReading(method);
    const isKeyAdded = !isRead && clientKey === undefined;
    const key = isRead ? undefined : (clientKey ?? this.options.newKey());
    const keyMadeFor = isKeyAdded ? this.options.app.current?.incarnation : undefined;
    const kind = kindOf(isRead, path, request.headers.accept);
    const exchange = new Exchange(
      {
        ...{ method, key, isKeyAdded },
        message: (host) =>
          forwardedMessage(forwarded, body?.length === 0 ? undefined : body, {
            ...{ host, key, isKeyAdded, keyMadeFor, proof: this.options.proof.known() ?? '' },
            address: addressOf(request, isFromCluster),
            requestId: request.headers['x-request-id'] === undefined ? client.requestId : undefined,
            isCounted: isFromCluster && request.headers[COUNTED_HEADER] !== undefined,
          }),
        kind,
      },
      client,
      kind === 'passwords' ? this.passwordPorts : this.ports,
    );
    this.open.add(exchange);
    client.whenClosed(() => {
      share?.giveBack();
      exchange.clientGone();
    });
    if (this.isStopping) exchange.stop();
    else exchange.lookForActive();
  }

  private isFromCluster({ headers }: IncomingMessage): boolean {
    const presented = headers[CLUSTER_HEADER];
    return typeof presented === 'string' && this.options.proof.isProvedBy(presented);
  }

  private refusalOf(request: IncomingMessage, isFromCluster: boolean): AppError | undefined {
    if (isFromCluster) return undefined;
    return request.headers[CLUSTER_HEADER] === undefined
      ? this.options.refusalOfHost(request)
      : new AppError('misdirected', `${CLUSTER_HEADER} does not prove the cluster secret of this installation`, {
          retry: 'never',
        });
  }
}

function noResource(): AppError {
  return new AppError('malformed-request', 'the target of the request is not a path', { retry: 'never' });
}
