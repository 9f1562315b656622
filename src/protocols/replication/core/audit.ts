/**
 * Whether the primary's state is the wrong one: at least two replicas agree with each other and not with the primary, and they
 * are at least as many as the replicas that agree with it. All hashes are of one log position.
 */
export function isLiar(own: string, replicas: readonly string[]): boolean {
  const supporters = replicas.filter((hash) => hash === own).length;
  return replicas.some((hash) => {
    const agreed = replicas.filter((other) => other === hash).length;
    return hash !== own && agreed >= 2 && agreed >= supporters;
  });
}
