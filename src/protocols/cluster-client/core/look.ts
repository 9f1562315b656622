import type { LamportTime } from '../../../kernel/index.js';
import type { Wanted } from './intent.js';

/** `groups` are the operation's groups that exist on the node; for `clear`, all groups. */
export type Look =
  | {
      readonly state: 'seen';
      readonly understands: boolean;
      readonly groups: readonly string[];
      /** The highest version that the node has met, if it knows operation ids. */
      readonly version?: LamportTime;
    }
  | { readonly state: 'silent'; readonly cause: string };

export type Seen = Extract<Look, { state: 'seen' }>;

export const groupsIn = (found: Look | undefined): readonly string[] => (found?.state === 'seen' ? found.groups : []);
export const hasGroups = (found: Look): boolean => groupsIn(found).length > 0;

export const metBy = (found: Look | undefined): LamportTime | undefined =>
  found?.state === 'seen' && found.understands ? found.version : undefined;

/** `before` are the operation's groups that existed before it. A clear ignores groups that came after it began. */
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
