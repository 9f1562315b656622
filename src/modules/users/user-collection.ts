export const USERS = { name: 'users', ids: 'text' } as const;
