import { AppError, type Timers } from '../../../kernel/index.js';

/** How long a participant is waited for. */
export type InTime = <T>(participant: string, answer: Promise<T>) => Promise<T>;

export const AS_LONG_AS_IT_TAKES: InTime = (_, answer) => answer;

/** One that hangs must not keep recovery from all others. What it was asked for may still be done. */
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
