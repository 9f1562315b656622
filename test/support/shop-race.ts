import type { RecordedShop, RecordingClient } from './recorded-shop.js';
import type { SeededRandom } from './seeded-random.js';

const PAGE = 10;

export interface Race {
  readonly shop: RecordedShop;
  readonly random: SeededRandom;
  /** Base addresses that writers and readers are spread over. */
  readonly writeTo: readonly string[];
  readonly readFrom: readonly string[];
  readonly writers: number;
  readonly readers: number;
  /** How many resources all of them share. */
  readonly size: number;
  /** Asked before each write; readers end with the writers. Throws to end the race as failed. */
  readonly isOver: (writes: number) => boolean;
}

/**
 * Writers and readers of the same few resources, all at once, as fast as they are answered. Some writes delete a resource and put a
 * new one in its place; reads are of one resource or of a page of the list. Resolves when the last client is answered.
 */
export async function race({ shop, random, writeTo, readFrom, writers, readers, size, isOver }: Race): Promise<void> {
  const ids = await fill(shop.client('seeder', writeTo[0]!), size);
  let writes = 0;
  let isWriting = true;
  const clientsOf = (kind: string, urls: readonly string[], count: number): RecordingClient[] =>
    Array.from({ length: count }, (_, index) => shop.client(`${kind} ${String(index)}`, urls[index % urls.length]!));

  const write = async (client: RecordingClient): Promise<void> => {
    while (isWriting && !isOver(writes)) {
      const slot = random.below(size);
      writes += 1;
      if (!random.chance(0.1)) await client.replace(ids[slot]!);
      else if (await client.delete(ids[slot]!)) ids[slot] = await client.create();
    }
  };
  const read = async (client: RecordingClient): Promise<void> => {
    while (isWriting) {
      const slot = random.below(size);
      if (random.chance(0.5)) await client.read(ids[slot]!);
      else
        await client.readPage(
          ids.slice(slot, slot + PAGE).toSorted((a, b) => a - b),
          PAGE,
        );
    }
  };
  const writing = Promise.all(clientsOf('writer', writeTo, writers).map(write)).finally(() => (isWriting = false));
  await Promise.all([writing, ...clientsOf('reader', readFrom, readers).map(read)]);
}

async function fill(client: RecordingClient, size: number): Promise<number[]> {
  const ids: number[] = [];
  while (ids.length < size) ids.push(await client.create());
  return ids;
}
