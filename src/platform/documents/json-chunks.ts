const ENTRIES_PER_CHUNK = 1_000;

/**
 * Yields the JSON text of plain data in pieces, so that writing a large state does not block the event loop. Joined, the pieces
 * equal the output of `JSON.stringify`. Lists are split at any depth that is reached through objects.
 */
export function* jsonChunks(value: unknown): Generator<string, void, undefined> {
  if (Array.isArray(value)) {
    yield* list(value);
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

function* list(items: readonly unknown[]): Generator<string, void, undefined> {
  let chunk = '[';
  for (const [index, item] of items.entries()) {
    chunk += `${index === 0 ? '' : ','}${JSON.stringify(item) ?? 'null'}`;
    if ((index + 1) % ENTRIES_PER_CHUNK > 0) continue;
    yield chunk;
    chunk = '';
  }
  yield `${chunk}]`;
}
