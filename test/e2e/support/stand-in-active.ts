import type { ServerResponse } from 'node:http';
import type { Echo } from '../../../src/protocols/failover/index.js';
import { type Received, StandInApp } from './stand-in-app.js';

let nextPid = 1;

/** What a gateway takes for an app process: it echoes as the test says, and answers the rest as the test says. */
export class StandInActive {
  /** Undefined: it does not echo. */
  echo: Echo | undefined;
  answer: (request: Received, response: ServerResponse) => void = (_request, response) => {
    sendJson(response, 200, { by: this.name });
  };

  private constructor(
    private readonly app: StandInApp,
    readonly name: string,
    epoch: number,
  ) {
    this.echo = { pid: (nextPid += 1), role: 'active', state: 'open', epoch };
    app.answer = (request, response) => {
      if (request.url !== '/health/echo') this.answer(request, response);
      else if (this.echo) sendJson(response, 200, this.echo);
      else response.destroy();
    };
  }

  static async start(name: string, epoch: number): Promise<StandInActive> {
    return new StandInActive(await StandInApp.start(), name, epoch);
  }

  /** `host:port`. */
  get address(): string {
    return new URL(this.app.url).host;
  }

  /** All that came but questions for the echo. */
  get received(): readonly Received[] {
    return this.app.received.filter(({ url }) => url !== '/health/echo');
  }

  /** From now on it is another incarnation. */
  becomes(echo: Partial<Echo>): void {
    const { epoch = 0, ...former } = this.echo ?? { pid: 0, role: 'active', state: 'open' };
    this.echo = { ...former, epoch, pid: (nextPid += 1), ...echo };
  }

  stop(): Promise<void> {
    return this.app.stop();
  }
}

export function sendJson(response: ServerResponse, status: number, body: unknown, type = 'application/json'): void {
  response.writeHead(status, { 'content-type': type, 'x-request-id': 'of-the-stand-in' }).end(JSON.stringify(body));
}

/** A refusal, as the app answers it. */
export function sendRefusal(response: ServerResponse, status: number, code: string): void {
  response.setHeader('retry-after', '1');
  const [type, detail] = [`urn:bifolio:problem:${code}`, `refused: ${code}`];
  const problem = { type, title: 'Refused', status, detail, instance: '/', code };
  sendJson(response, status, problem, 'application/problem+json');
}
