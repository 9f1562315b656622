const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})(?: |$)/;
const OF_THE_CONNECTION: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
]);
const WHOLE_NUMBER = /^\d{1,15}$/;
const EVENT_STREAM = 'text/event-stream';

/** The head of an answer of the app. */
export interface AnswerHead {
  readonly status: number;
  /** Names and values in turn, for the client: without those of the connection. */
  readonly lines: readonly string[];
  readonly isChunked: boolean;
  /** What the head says; undefined when it says nothing. */
  readonly lengthBytes: number | undefined;
  /** It says that it is a stream, so the client gets each part as it comes. */
  readonly isStream: boolean;
  /** The app ends the connection after this answer. */
  readonly isLast: boolean;
}

/** `text`: the bytes before the empty line, each as one character. Undefined for what is no head. */
export function headOf(text: string): AnswerHead | undefined {
  const status = STATUS_LINE.exec(text)?.[1];
  if (status === undefined) return undefined;
  const lines: string[] = [];
  let connection: string | undefined;
  let isChunked = false;
  let isStream = false;
  let lengthBytes: number | undefined;
  let end = text.indexOf('\r\n');
  while (end >= 0) {
    const start = end + 2;
    end = text.indexOf('\r\n', start);
    const stop = end < 0 ? text.length : end;
    const colon = text.indexOf(':', start);
    if (colon <= start || colon >= stop) return undefined;
    const name = text.slice(start, colon);
    const value = text.slice(colon + 1, stop).trim();
    const lower = name.toLowerCase();
    switch (lower) {
      case 'connection':
        connection = connection === undefined ? value : `${connection}, ${value}`;
        break;
      case 'transfer-encoding':
        if (value.toLowerCase() !== 'chunked') return undefined;
        isChunked = true;
        break;
      case 'content-length':
        if (!WHOLE_NUMBER.test(value) || (lengthBytes !== undefined && lengthBytes !== Number(value))) return undefined;
        lengthBytes = Number(value);
        break;
      case 'content-type':
        isStream ||= value.startsWith(EVENT_STREAM);
        break;
      case 'x-accel-buffering':
        isStream ||= value === 'no';
        break;
      default:
    }
    if (!OF_THE_CONNECTION.has(lower)) lines.push(name, value);
  }
  // Two programs could end such an answer at two places (RFC 9112, 6.3).
  if (isChunked && lengthBytes !== undefined) return undefined;
  const named = namedByConnection(connection);
  const isLast = connection !== undefined && /\bclose\b/i.test(connection);
  return { status: Number(status), lines: without(lines, named), isChunked, lengthBytes, isStream, isLast };
}

/** In lower case: headers that `Connection` names belong to the connection as well. Undefined: none. */
export function namedByConnection(connection: string | undefined): ReadonlySet<string> | undefined {
  if (connection === undefined || /^(?:keep-alive|close)$/i.test(connection)) return undefined;
  return new Set(connection.split(',').map((name) => name.trim().toLowerCase()));
}

function without(lines: readonly string[], named: ReadonlySet<string> | undefined): readonly string[] {
  if (named === undefined) return lines;
  return lines.filter((_, index) => !named.has((lines[index - (index % 2)] ?? '').toLowerCase()));
}
