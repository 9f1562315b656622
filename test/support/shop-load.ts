import { type AuditedClient } from './audited-client.js';
import type { AppProcess } from './app-process.js';
import { audit } from './audited-client.js';
import { ShopClient } from './shop-client.js';

/** All clients write at once until `isOver` or until they get no answer any more. */
export async function writeUntil(
  clients: readonly AuditedClient[],
  shop: ShopClient,
  isOver: () => boolean,
): Promise<void> {
  await Promise.all(
    clients.map(async (client) => {
      while (!isOver() && client.open === undefined) await client.write(shop.send);
    }),
  );
}

export function acknowledgedBy(clients: readonly AuditedClient[]): number {
  return clients.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
}

/**
 * What a restarted app owes its clients: all that was acknowledged, then one effect for each request that was left
 * open and is repeated, then the old answers for `replays` answered requests of each client.
 */
export async function auditAfterRestart(
  app: Pick<AppProcess, 'url'>,
  clients: readonly AuditedClient[],
  replays: number,
): Promise<string[]> {
  const shop = new ShopClient(app.url);
  try {
    const found = audit(clients, await shop.stored());
    const repeated = await Promise.all(clients.map((client) => client.repeatOpen(shop.send)));
    await Promise.all(clients.map((client) => client.replay(shop.send, replays)));
    const unanswered = repeated.filter((isAnswered) => !isAnswered).map(() => 'a repeated request got no answer');
    return [...found, ...unanswered, ...audit(clients, await shop.stored())];
  } finally {
    await shop.close();
  }
}
