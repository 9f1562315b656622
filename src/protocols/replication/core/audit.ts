/**
 * Whether the primary is the one whose state is wrong: at least two replicas agree with each other and not with it, and
 * they are at least as many as those that agree with it. The hashes are of one position.
 */
export function isLiar(own: string, replicas: readonly string[]): boolean {
  const supporters = replicas.filter((hash) => hash === own).length;
  return replicas.some((hash) => {
    const agreed = replicas.filter((other) => other === hash).length;
    return hash !== own && agreed >= 2 && agreed >= supporters;
  });
}
