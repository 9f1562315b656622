/**
 * The roles that have each permission. Each route requires one permission, and API_KEYS may give a key any role named here. To
 * add a role, add a line or a word to a line.
 */
export const ROLES_WITH = {
  read: ['read', 'write', 'operator'],
  write: ['write', 'operator'],
  operator: ['operator'],
} as const;

export type Permission = keyof typeof ROLES_WITH;
export type Role = (typeof ROLES_WITH)[Permission][number];

export const ROLES: readonly Role[] = [...new Set(Object.values(ROLES_WITH).flat())];
