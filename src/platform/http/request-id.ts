const ACCEPTABLE = /^[\x21-\x7e]{1,128}$/;

/** Whether an `X-Request-Id` of a client is taken over; otherwise the server makes one. */
export function isAcceptableRequestId(given: string | readonly string[] | undefined): given is string {
  return typeof given === 'string' && ACCEPTABLE.test(given);
}
