/** Clients behind a proxy may put scheme and host before the path (RFC 9112, absolute-form). */
const ORIGIN = /^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i;

export function withoutOrigin(target: string): string {
  return target.startsWith('/') ? target : target.replace(ORIGIN, '');
}
