import type { Readable } from 'node:stream';
import { AppError } from '../../kernel/index.js';

const MEBIBYTE = 1024 * 1024;
/** Free for every body, whatever others take, so that large bodies never cause the refusal of an ordinary write. */
const FREE_BYTES = 16 * 1024;
const MAX_BYTES = 64 * MEBIBYTE;

/**
 * The memory that bodies of one server take, from the first byte until it is returned. The first 16 KiB of each are free, which
 * the number of connections bounds; everything beyond comes out of one budget.
 */
export class BodyMemory {
  private taken = 0;

  constructor(private readonly maxBytes = MAX_BYTES) {}

  open(): BodyShare {
    let own = 0;
    return {
      grow: (length) => {
        const more = Math.max(0, length - FREE_BYTES) - own;
        if (more <= 0) return true;
        if (this.taken + more > this.maxBytes) return false;
        this.taken += more;
        own += more;
        return true;
      },
      giveBack: () => {
        this.taken -= own;
        own = 0;
      },
    };
  }
}

export interface BodyShare {
  /** False when there is no room for a body of `length` bytes. */
  readonly grow: (length: number) => boolean;
  readonly giveBack: () => void;
}

interface Receiving {
  readonly announcedBytes: number;
  readonly limitBytes: number;
  readonly share: BodyShare;
}

/** Calls `done` once, with the whole body or with the reason for its refusal. Later bytes are dropped. */
export function receiveBody(
  stream: Readable,
  { announcedBytes, limitBytes, share }: Receiving,
  done: (error: Error | null, body?: Buffer) => void,
): void {
  if (announcedBytes > limitBytes) {
    done(tooLarge(limitBytes));
    return;
  }
  const chunks: Buffer[] = [];
  let length = 0;
  const settle = (error: Error | null, body?: Buffer): void => {
    stream.off('data', take).off('end', finish).off('error', fail);
    if (error) {
      // The client may continue to send, or hang up.
      stream.on('error', () => undefined).resume();
    }
    done(error, body);
  };
  const take = (chunk: Buffer): void => {
    length += chunk.length;
    if (length > limitBytes) settle(tooLarge(limitBytes));
    else if (share.grow(length)) chunks.push(chunk);
    else settle(noRoom());
  };
  const finish = (): void => {
    const [first = Buffer.alloc(0)] = chunks;
    settle(null, chunks.length > 1 ? Buffer.concat(chunks, length) : first);
  };
  const fail = (cause: Error): void => {
    settle(
      new AppError('malformed-request', 'the request ended before its body was complete', { retry: 'safe', cause }),
    );
  };
  stream.on('data', take).on('end', finish).on('error', fail);
}

function tooLarge(limitBytes: number): AppError {
  return new AppError('body-too-large', `a body may be at most ${String(limitBytes / MEBIBYTE)} MiB`, {
    retry: 'never',
  });
}

function noRoom(): AppError {
  return new AppError('overloaded', 'too many large bodies are being received; nothing was written', {
    retry: 'safe',
    retryAfterSeconds: 1,
  });
}
