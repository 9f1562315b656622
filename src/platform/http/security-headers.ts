import type { FastifyReply } from 'fastify';

/**
 * What every answer that is no page says to browsers: it is what its type says, loads nothing and is shown in no frame.
 * Flat: name, value, name, value.
 */
export const SECURITY_HEADERS = [
  ...['X-Content-Type-Options', 'nosniff'],
  ...['Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'"],
] as const;

const POLICY = 'content-security-policy';

/** A page has set its own. */
export function setSecurityHeaders(reply: FastifyReply): void {
  if (reply.hasHeader(POLICY)) return;
  const [typeOptions, noSniff, policy, nothing] = SECURITY_HEADERS;
  reply.header(typeOptions, noSniff).header(policy, nothing);
}
