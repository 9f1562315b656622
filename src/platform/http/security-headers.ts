import type { FastifyReply } from 'fastify';

/** Security headers of all answers but pages: no type guessing, loading or framing. Flat: name, value, name, value. */
export const SECURITY_HEADERS = [
  ...['X-Content-Type-Options', 'nosniff'],
  ...['Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'"],
] as const;

const POLICY = 'content-security-policy';

/** A page has already set its own headers. */
export function setSecurityHeaders(reply: FastifyReply): void {
  if (reply.hasHeader(POLICY)) return;
  const [typeOptions, noSniff, policy, nothing] = SECURITY_HEADERS;
  reply.header(typeOptions, noSniff).header(policy, nothing);
}
