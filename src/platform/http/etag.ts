import { hash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../../kernel/index.js';
import { malformedField } from './parameters.js';

const TAG = '(?:W/)?"[\\x21\\x23-\\x7e\\x80-\\xff]*"';
const TAGS = new RegExp(TAG, 'g');
const LIST_OF_TAGS = new RegExp(`^[ \\t,]*${TAG}(?:[ \\t]*,[ \\t,]*${TAG})*[ \\t,]*$`);
const NAMES = { 'if-match': 'If-Match', 'if-none-match': 'If-None-Match' } as const;
type Header = keyof typeof NAMES;

/** A strong validator (RFC 9110, 8.8.3) of exactly these bytes. */
export function etagOf(body: string | Buffer): string {
  return `"${hash('sha1', body, 'base64url')}"`;
}

/** `If-Match` and `If-None-Match` of one request (RFC 9110, 13.1.1 and 13.1.2), in the order of 13.2.2. */
export class Preconditions {
  private constructor(
    private readonly match: readonly string[] | undefined,
    private readonly noneMatch: readonly string[] | undefined,
  ) {}

  /** Throws `validation-failed`, naming the header that is neither `*` nor a list of entity tags. */
  static of({ headers }: FastifyRequest): Preconditions {
    return new Preconditions(
      tagsOf('if-match', headers['if-match']),
      tagsOf('if-none-match', headers['if-none-match']),
    );
  }

  get areNone(): boolean {
    return this.match === undefined && this.noneMatch === undefined;
  }

  /** Strong comparison: a weak tag never matches. `etag` is the current validator; undefined when the resource does not exist. */
  matches(etag: string | undefined): boolean {
    if (this.match === undefined) return true;
    return etag !== undefined && (this.match.includes('*') || this.match.includes(etag));
  }

  /** Weak comparison. */
  noneMatches(etag: string | undefined): boolean {
    if (this.noneMatch === undefined || etag === undefined) return true;
    return !this.noneMatch.some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag);
  }

  /** Why a write is refused; undefined when allowed. `what` names it (`book 7`); `shown` is its public form, if it exists. */
  refusal(what: string, shown: object | undefined): AppError | undefined {
    if (this.areNone) return undefined;
    const etag = shown && etagOf(JSON.stringify(shown));
    if (!this.matches(etag)) {
      const detail = etag === undefined ? 'does not exist' : 'does not match If-Match';
      return new AppError('precondition-failed', `${what} ${detail}`, { retry: 'never' });
    }
    if (this.noneMatches(etag)) return undefined;
    return new AppError('precondition-failed', `${what} matches If-None-Match`, { retry: 'never' });
  }
}

function tagsOf(header: Header, value: string | undefined): readonly string[] | undefined {
  if (value === undefined) return undefined;
  if (value.trim() === '*') return ['*'];
  if (LIST_OF_TAGS.test(value)) return value.match(TAGS) ?? [];
  throw malformedField('validation-failed', NAMES[header], 'must be * or a list of quoted entity tags, as in ETag');
}
