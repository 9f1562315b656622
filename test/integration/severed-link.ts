import { type AddressInfo, createServer, type Server, type Socket, connect } from 'node:net';

/** What becomes of the connection on which a client says a certain word. */
export type Severance = 'before it arrives' | 'after it took effect';

/** A way to a server that breaks once, at the first `word` that a client sends over it. */
export class SeveredLink {
  private severance: Severance | undefined;

  private constructor(
    private readonly server: Server,
    private readonly word: string,
  ) {}

  static async to(port: number, word: string): Promise<SeveredLink> {
    const server = createServer();
    const link = new SeveredLink(server, word);
    server.on('connection', (client) => {
      link.join(client, connect({ host: '127.0.0.1', port }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return link;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  severNext(severance: Severance): void {
    this.severance = severance;
  }

  async close(): Promise<void> {
    await new Promise((resolve) => this.server.close(resolve));
  }

  private join(client: Socket, server: Socket): void {
    let isDeaf = false;
    const end = (): void => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) socket.on('error', end).on('close', end);
    client.on('data', (bytes) => {
      if (this.severance === undefined || !bytes.includes(this.word)) return void server.write(bytes);
      isDeaf = this.severance === 'after it took effect';
      this.severance = undefined;
      if (isDeaf) server.write(bytes);
      else end();
    });
    server.on('data', (bytes) => {
      if (isDeaf) end();
      else client.write(bytes);
    });
  }
}
