import { describe, expect, it } from '@jest/globals';
import { PassThrough } from 'node:stream';
import { BodyMemory, receiveBody } from './received-body.js';

const KIB = 1024;

function receive(memory: BodyMemory, announcedBytes = 0, limitBytes = 1024 * KIB) {
  const stream = new PassThrough();
  const share = memory.open();
  const outcomes: { readonly code: string | undefined; readonly body: Buffer | undefined }[] = [];
  const settled = new Promise<void>((resolve) => {
    receiveBody(stream, { announcedBytes, limitBytes, share }, (error, body) => {
      outcomes.push({ code: (error as { code?: string } | null)?.code, body });
      resolve();
    });
  });
  return { stream, share, outcomes, settled };
}

describe('a request body', () => {
  it('given in any number of pieces, is returned whole and once', async () => {
    for (const pieces of [[], ['a'], ['a', 'bc', 'd'.repeat(40 * KIB)]]) {
      const { stream, outcomes, settled } = receive(new BodyMemory());
      pieces.forEach((piece) => stream.write(piece));
      stream.end();
      await settled;
      expect(outcomes.map(({ body }) => body?.toString())).toEqual([pieces.join('')]);
    }
  });

  it('given too many bytes, is refused: as soon as announced, or when they arrive', async () => {
    const announced = receive(new BodyMemory(), 101, 100);
    await announced.settled;
    const sent = receive(new BodyMemory(), 0, 100);
    sent.stream.write('x'.repeat(101));
    await sent.settled;
    sent.stream.end('more');
    expect([announced.outcomes, sent.outcomes]).toEqual([
      [{ code: 'body-too-large', body: undefined }],
      [{ code: 'body-too-large', body: undefined }],
    ]);
  });

  it('given an early end, is refused once, also when the end event follows', async () => {
    const { stream, outcomes, settled } = receive(new BodyMemory());
    stream.write('x');
    stream.destroy(new Error('hung up'));
    await settled;
    expect(outcomes).toEqual([{ code: 'malformed-request', body: undefined }]);
  });

  it('given a large size while others take all memory, is refused; given a small size, is accepted', async () => {
    const memory = new BodyMemory(100 * KIB);
    const slow = receive(memory);
    slow.stream.write(Buffer.alloc(90 * KIB));
    const large = receive(memory);
    large.stream.write(Buffer.alloc(60 * KIB));
    await large.settled;
    const small = receive(memory);
    small.stream.end(Buffer.alloc(16 * KIB));
    await small.settled;
    expect([slow.outcomes, large.outcomes[0]?.code, small.outcomes[0]?.body?.length]).toEqual([
      [],
      'overloaded',
      16 * KIB,
    ]);

    large.share.giveBack();
    slow.share.giveBack();
    slow.share.giveBack();
    const next = receive(memory);
    next.stream.end(Buffer.alloc(110 * KIB));
    await next.settled;
    expect(next.outcomes[0]?.body?.length).toBe(110 * KIB);
  });
});
