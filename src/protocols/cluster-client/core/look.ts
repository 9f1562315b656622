import type { LamportTime } from '../../../kernel/index.js';
import type { Wanted } from './intent.js';

/** `groups`: those of the operation's that stand there (`clear`: all that do). */
export type Look =
  | {
      readonly state: 'seen';
      readonly understands: boolean;
      readonly groups: readonly string[];
      /** The highest that the node has met, where operation ids are known. */
      readonly version?: LamportTime;
    }
  | { readonly state: 'silent'; readonly cause: string };

export type Seen = Extract<Look, { state: 'seen' }>;

export const groupsIn = (found: Look | undefined): readonly string[] => (found?.state === 'seen' ? found.groups : []);
export const hasGroups = (found: Look): boolean => groupsIn(found).length > 0;

/** The highest version that it has met. */
export const metBy = (found: Look | undefined): LamportTime | undefined =>
  found?.state === 'seen' && found.understands ? found.version : undefined;

/** `before`: the operation's groups that stood there before it. What came after a clear began is not its matter. */
export function isAsWanted(found: Look, { kind }: Wanted, before: readonly string[]): boolean {
  if (found.state === 'silent') return false;
  switch (kind) {
    case 'create':
      return found.groups.length > 0;
    case 'delete':
      return found.groups.length === 0;
    case 'clear':
      return !before.some((groupId) => found.groups.includes(groupId));
  }
}
