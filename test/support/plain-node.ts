import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a server answers to a call; `body` is sent as JSON, unless it is text. */
export interface PlainAnswer {
  readonly status: number;
  readonly body?: unknown;
  /** Where it sends the caller. */
  readonly location?: string;
}

export type Answering = (method: string, path: string, body: { readonly groupId?: string }) => PlainAnswer;

/** A server that is no Bifolio, and has never heard of operation ids. */
export class PlainNode {
  /** Every call, as `POST /v1/group`. */
  readonly asked: string[] = [];

  private constructor(
    private readonly server: Server,
    private readonly answering: Answering,
  ) {
    server.on('request', (request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => {
        const { method = '', url = '' } = request;
        this.asked.push(`${method} ${url}`);
        const body = (text === '' ? {} : JSON.parse(text)) as { groupId?: string };
        const answer = this.answering(method, url, body);
        const isText = typeof answer.body === 'string';
        response.writeHead(answer.status, {
          'content-type': isText ? 'text/html; charset=utf-8' : 'application/json',
          ...(answer.location !== undefined && { location: answer.location }),
        });
        response.end(isText ? answer.body : JSON.stringify(answer.body ?? {}));
      });
    });
  }

  static async start(answering: Answering): Promise<PlainNode> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new PlainNode(server, answering);
  }

  get name(): string {
    return `127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** The plain API: POST 201 or 400, DELETE 200 or 404, GET. */
export function plainGroups(groups: Set<string>): Answering {
  return (method, path, { groupId = '' }) => {
    if (path === '/v1/groups' && method === 'DELETE') {
      groups.clear();
      return { status: 200 };
    }
    if (path === '/v1/groups') return { status: 200, body: { groups: [...groups].map((id) => ({ groupId: id })) } };
    if (method === 'GET') {
      const asked = decodeURIComponent(path.replace('/v1/group/', ''));
      return groups.has(asked) ? { status: 200, body: { groupId: asked } } : { status: 404 };
    }
    if (method === 'DELETE') return { status: groups.delete(groupId) ? 200 : 404 };
    if (groups.has(groupId)) return { status: 400 };
    groups.add(groupId);
    return { status: 201, body: { groupId } };
  };
}

/** With the habits of Flask: paths end in a slash, what was done is answered 200 without a body, and a no comes as a page. */
export function flaskGroups(groups: Set<string>): Answering {
  const answering = plainGroups(groups);
  return (method, path, body) => {
    if (!path.endsWith('/')) return { status: 308, location: `${path}/`, body: '<p>You should be redirected.</p>' };
    const { status, body: said } = answering(method, path.slice(0, -1), body);
    if (status >= 400) return { status, body: '<h1>Not so</h1>' };
    return method === 'GET' ? { status, body: said } : { status: 200, body: '' };
  };
}
