import type { ClientRequest, IncomingMessage } from 'node:http';

export interface Upload {
  readonly chunks: AsyncIterable<Buffer>;
  readonly sizeBytes: number;
}

/** Sends the chunks as fast as they are accepted; stops when the answer comes first. Never rejects. */
export async function sendChunks(
  request: ClientRequest,
  chunks: AsyncIterable<Buffer>,
  answer: () => IncomingMessage | undefined,
): Promise<void> {
  try {
    for await (const chunk of chunks) {
      if (request.destroyed) return;
      const early = answer();
      if (early) {
        if (early.readableEnded) request.destroy();
        else early.once('end', () => request.destroy());
        return;
      }
      if (!request.write(chunk)) await movement(request);
    }
    request.end();
  } catch (error) {
    request.destroy(error as Error);
  }
}

/** Waits until more can be written, or nothing more needs to be. */
function movement(request: ClientRequest): Promise<void> {
  const events = ['drain', 'response', 'close'] as const;
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of events) request.off(event, done);
      resolve();
    };
    for (const event of events) request.on(event, done);
  });
}
