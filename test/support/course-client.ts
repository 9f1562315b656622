import { connect, type Socket } from 'node:net';

/** The lines that follow `Host` in a POST without a body of the courses' clients. Neither sends a body. */
export const AIOHTTP_POST = [
  ...['Accept: */*', 'Accept-Encoding: gzip, deflate', 'User-Agent: Python/3.11 aiohttp/3.9.1'],
  ...['Content-Length: 0', 'Content-Type: application/octet-stream'],
] as const;
export const LOCUST_POST = [
  ...['User-Agent: python-requests/2.31.0', 'Accept-Encoding: gzip, deflate', 'Accept: */*'],
  ...['Connection: keep-alive', 'Content-Length: 0'],
] as const;

export interface RawAnswer {
  readonly status: number;
  /** The status line and all headers. */
  readonly head: string;
  readonly text: string;
  readonly afterMs: number;
}

/** One connection that sends a POST byte by byte as a client of the courses does, and stays open for the next one. */
export class CourseClient {
  private constructor(
    private readonly socket: Socket,
    private readonly host: string,
  ) {
    // `close` follows.
    socket.on('error', () => undefined);
  }

  static open(url: string): Promise<CourseClient> {
    const { hostname, port, host } = new URL(url);
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => {
        resolve(new CourseClient(socket, host));
      });
      socket.once('error', reject);
    });
  }

  /** One request at a time. Rejects when the connection ends without an answer. */
  post(path: string, lines: readonly string[] = AIOHTTP_POST): Promise<RawAnswer> {
    const { socket } = this;
    const sentMs = performance.now();
    return new Promise((resolve, reject) => {
      let received = '';
      const drop = (): void => {
        reject(new Error(`the connection was dropped, and ${path} had this answer: "${received}"`));
      };
      const read = (bytes: Buffer): void => {
        received += bytes.toString('latin1');
        const [head = '', text = ''] = received.split('\r\n\r\n', 2);
        if (text.length < Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? Infinity)) return;
        socket.off('data', read).off('close', drop);
        resolve({ status: Number(head.split(' ', 2)[1]), head, text, afterMs: performance.now() - sentMs });
      };
      if (socket.destroyed) {
        drop();
        return;
      }
      socket.on('data', read).on('close', drop);
      socket.write([`POST ${path} HTTP/1.1`, `Host: ${this.host}`, ...lines, '', ''].join('\r\n'));
    });
  }

  close(): void {
    this.socket.destroy();
  }
}
