const LONG = /^\/(?:orders\/checkout|sagas|transactions|[a-z]+\/batch_init)\//;
const WITH_PASSWORD = /^\/(?:user-commands\/|token(?:[/?]|$))/;

/** Whether a write with this path may take as long as CHECKOUT_TIMEOUT_MS; any other ends within WRITE_DEADLINE_MS. */
export function takesLong(path: string): boolean {
  return LONG.test(path);
}

/** Whether a write with this path waits until a password is hashed or compared: behind thousands of others more than a minute. */
export function hashesPassword(path: string): boolean {
  return WITH_PASSWORD.test(path);
}
