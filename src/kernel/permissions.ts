/**
 * Who may do what: by permission, the roles that have it. A route asks for one permission, and API_KEYS may give a key any
 * role that is named here. A further role is one more line, or one more word in a line.
 */
export const ROLES_WITH = {
  read: ['read', 'write', 'operator'],
  write: ['write', 'operator'],
  operator: ['operator'],
} as const;

export type Permission = keyof typeof ROLES_WITH;
export type Role = (typeof ROLES_WITH)[Permission][number];

export const ROLES: readonly Role[] = [...new Set(Object.values(ROLES_WITH).flat())];
