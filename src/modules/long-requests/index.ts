const LONG = /^\/(?:orders\/checkout|sagas|transactions|[a-z]+\/batch_init)\//;

/** Whether a write with this path may take as long as CHECKOUT_TIMEOUT_MS; any other ends within WRITE_DEADLINE_MS. */
export function takesLong(path: string): boolean {
  return LONG.test(path);
}
