import { AppError } from '../../kernel/index.js';

export function userExists(id: number | string): AppError {
  return new AppError('conflict', `there is a user ${String(id)} already; nothing was written`, { retry: 'never' });
}
