const ENTRIES_PER_CHUNK = 1_000;

/**
 * The JSON text of plain data in pieces, so that a large state can be written without holding up the event loop.
 * Joined, the pieces are exactly what `JSON.stringify` gives. Only lists and maps with many entries are cut up, at any
 * depth that is reached through small ones.
 */
export function* jsonChunks(value: unknown): Generator<string, void, undefined> {
  if (Array.isArray(value)) {
    yield* entries('[', ']', value, (item) => ['', item]);
  } else if (typeof value === 'object' && value !== null) {
    const record = value as Readonly<Record<string, unknown>>;
    const keys = Object.keys(record).filter((key) => record[key] !== undefined);
    yield* entries('{', '}', keys, (key) => [`${JSON.stringify(key)}:`, record[key]]);
  } else {
    yield JSON.stringify(value);
  }
}

function* entries<T>(
  open: string,
  close: string,
  items: readonly T[],
  part: (item: T) => readonly [prefix: string, value: unknown],
): Generator<string, void, undefined> {
  let text = open;
  const isLarge = items.length > ENTRIES_PER_CHUNK;
  for (const [index, item] of items.entries()) {
    const [prefix, value] = part(item);
    text += index === 0 ? prefix : `,${prefix}`;
    if (isLarge) {
      text += JSON.stringify(value);
    } else {
      yield text;
      text = '';
      yield* jsonChunks(value);
    }
    if (isLarge && index % ENTRIES_PER_CHUNK === 0) {
      yield text;
      text = '';
    }
  }
  yield text + close;
}
