import { AppError } from '../../kernel/index.js';

export function userExists(id: number | string): AppError {
  return new AppError('conflict', `user ${String(id)} already exists; nothing was written`, { retry: 'never' });
}
