import { logPositionText, type ChainPosition } from '../../../kernel/index.js';
import type { Heard, ReplicaLink } from '../../../protocols/replication/index.js';

const ANSWER_WITHIN_MS = 15_000;

/**
 * Describes the disagreement of replicas that hold different states at `position`; undefined when they agree. At least one
 * replica was changed behind its program's back, and only a person can say which. Skips a replica that does not report its state
 * in time. Read-only.
 */
export async function disagreementAt(
  position: ChainPosition,
  links: readonly ReplicaLink[],
  heard: Heard,
): Promise<string | undefined> {
  const level = links.filter(({ name }) => {
    const at = heard[name]?.position;
    return at?.seq === position.seq && at.hash === position.hash;
  });
  const hashes = await Promise.all(level.map((link) => stateHashAt(link, position)));
  const namesByHash = new Map<string, string[]>();
  level.forEach(({ name }, index) => {
    const hash = hashes[index];
    if (hash !== undefined) namesByHash.set(hash, [...(namesByHash.get(hash) ?? []), name]);
  });
  if (namesByHash.size <= 1) return undefined;
  const parties = [...namesByHash.values()].map((names) => names.join(', ')).join(' versus ');
  return (
    `At the same position (${logPositionText(position)}) replicas hold different data: ${parties}. ` +
    'Find out which replicas are right, stop the others, and move their documents away.'
  );
}

async function stateHashAt(link: ReplicaLink, { seq }: ChainPosition): Promise<string | undefined> {
  const told = await link.stateHash(undefined, ANSWER_WITHIN_MS).catch(() => undefined);
  return told?.position.seq === seq ? told.stateHash : undefined;
}
