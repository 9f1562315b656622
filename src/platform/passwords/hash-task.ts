/** One task of a hash worker. `hash`: compare the password with this hash; absent: hash the password. */
export interface HashTask {
  readonly password: string;
  readonly hash?: string;
}

/** The answer to a task: the hash, whether the password matches, or that the task failed. It never repeats the password. */
export type HashReply = { readonly hash: string } | { readonly matches: boolean } | { readonly failed: true };
