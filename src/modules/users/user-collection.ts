/** The document collection that holds users, under ids that their clients choose. */
export const USERS = { name: 'users', ids: 'text' } as const;
