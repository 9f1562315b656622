const ENTRIES_PER_CHUNK = 1_000;

/** An object that is made member by member while it is written, and so never stands in memory as a whole. */
export class LazyObject<V> {
  constructor(readonly members: () => Iterable<readonly [key: string, value: V]>) {}
}

/**
 * The JSON text of plain data in pieces, so that a large state can be written without holding up the event loop.
 * Joined, the pieces are exactly what `JSON.stringify` gives. Lists and lazy objects are cut up, at any depth that is
 * reached through objects.
 */
export function* jsonChunks(value: unknown): Generator<string, void, undefined> {
  if (value instanceof LazyObject) {
    yield* many('{', '}', memberTexts(value.members()));
  } else if (Array.isArray(value)) {
    yield* many('[', ']', itemTexts(value));
  } else if (typeof value === 'object' && value !== null) {
    yield* few(Object.entries(value).filter(([, inner]) => inner !== undefined));
  } else {
    yield JSON.stringify(value);
  }
}

function* few(members: readonly (readonly [string, unknown])[]): Generator<string, void, undefined> {
  let separator = '{';
  for (const [key, value] of members) {
    yield `${separator}${JSON.stringify(key)}:`;
    yield* jsonChunks(value);
    separator = ',';
  }
  yield separator === '{' ? '{}' : '}';
}

function* many(open: string, close: string, texts: Iterable<string>): Generator<string, void, undefined> {
  let chunk = open;
  let count = 0;
  for (const text of texts) {
    chunk += count === 0 ? text : `,${text}`;
    count += 1;
    if (count % ENTRIES_PER_CHUNK > 0) continue;
    yield chunk;
    chunk = '';
  }
  yield chunk + close;
}

function* memberTexts(members: Iterable<readonly [string, unknown]>): Generator<string, void, undefined> {
  for (const [key, value] of members) yield `${JSON.stringify(key)}:${JSON.stringify(value)}`;
}

function* itemTexts(items: readonly unknown[]): Generator<string, void, undefined> {
  for (const item of items) yield JSON.stringify(item) ?? 'null';
}
