import { AppError, type Timers } from '../../../kernel/index.js';

export type InTime = <T>(participant: string, answer: Promise<T>) => Promise<T>;

export const AS_LONG_AS_IT_TAKES: InTime = (_, answer) => answer;

/** A participant that hangs must not block recovery of the others. It may still carry out the request. */
export function within(timers: Timers, limitMs: number): InTime {
  return (participant, answer) =>
    new Promise((resolve, reject) => {
      const cancel = timers.after(limitMs, () => {
        reject(
          new AppError('outcome-unknown', `${participant} did not answer within ${limitMs} ms`, { retry: 'unknown' }),
        );
      });
      answer.then(resolve, reject).finally(cancel);
    });
}
