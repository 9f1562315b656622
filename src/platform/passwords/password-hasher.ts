import { AppError, type Log } from '../../kernel/index.js';
import type { HashReply, HashTask } from './hash-task.js';
import type { HashWorker, HashWorkerEvents } from './hash-worker.js';

export interface PasswordHasherOptions {
  readonly start: (events: HashWorkerEvents) => HashWorker;
  /** How many hashes run at once, each in a thread of its own; at least 1. */
  readonly workers: number;
  /** How many hashes wait for a worker; one more is refused. */
  readonly maxWaiting: number;
  readonly log: Pick<Log, 'warn'>;
}

interface Job {
  readonly task: HashTask;
  readonly resolve: (reply: HashReply) => void;
  readonly reject: (error: AppError) => void;
  /** How many workers have died with this job. */
  deaths: number;
}

interface Place {
  worker: HashWorker | undefined;
  job: Job | undefined;
}

/** A job that ends every worker must not end them for ever. */
const MAX_DEATHS = 2;
const RETRY_AFTER_SECONDS = 5;

/**
 * Hashes passwords in threads of its own: a hash takes tens of milliseconds of computing and 19 MiB, and on the thread pool of the
 * process it would delay every fsync. Workers start with the first hashes. Invariant: each job is answered exactly once; the job
 * of a worker that died is done again by another worker, and refused after the second death.
 */
export class PasswordHasher {
  private readonly places: readonly Place[];
  private readonly waiting: Job[] = [];
  private isClosed = false;

  constructor(private readonly options: PasswordHasherOptions) {
    this.places = Array.from({ length: options.workers }, () => ({ worker: undefined, job: undefined }));
  }

  /** How many hashes wait for a worker. */
  get waitingCount(): number {
    return this.waiting.length;
  }

  /**
   * The argon2id hash of the password, with its parameters and salt. Rejects with `too-many-hashes`, `overloaded` or
   * `shutting-down`; then nothing was hashed.
   */
  async hash(password: string): Promise<string> {
    const reply = await this.enqueue({ password });
    if ('hash' in reply) return reply.hash;
    throw notDone();
  }

  /** Whether the password has this hash. Takes as long for each hash with the same parameters. Rejects like `hash`. */
  async matches(password: string, hash: string): Promise<boolean> {
    const reply = await this.enqueue({ password, hash });
    if ('matches' in reply) return reply.matches;
    throw notDone();
  }

  /** Refuses what waits or runs. No thread is left when it resolves. */
  async close(): Promise<void> {
    this.isClosed = true;
    const unfinished = [...this.places.flatMap(({ job }) => job ?? []), ...this.waiting.splice(0)];
    for (const place of this.places) place.job = undefined;
    for (const { reject } of unfinished) reject(stopping());
    await Promise.all(this.places.flatMap(({ worker }) => worker?.end() ?? []));
  }

  private enqueue(task: HashTask): Promise<HashReply> {
    return new Promise((resolve, reject) => {
      const job = { task, resolve, reject, deaths: 0 };
      const idle = this.places.find((place) => place.job === undefined);
      if (this.isClosed) reject(stopping());
      else if (idle !== undefined) this.give(idle, job);
      else if (this.waiting.length >= this.options.maxWaiting) reject(this.tooMany());
      else this.waiting.push(job);
    });
  }

  private give(place: Place, job: Job): void {
    place.job = job;
    place.worker ??= this.startFor(place);
    place.worker.post(job.task);
  }

  private startFor(place: Place): HashWorker {
    return this.options.start({
      replied: (reply) => {
        const { job } = place;
        this.free(place);
        job?.resolve(reply);
      },
      died: (reason) => {
        place.worker = undefined;
        if (this.isClosed) return;
        this.options.log.warn('a password worker ended; another one takes its place', { reason });
        const { job } = place;
        if (job === undefined) return;
        job.deaths += 1;
        if (job.deaths < MAX_DEATHS) {
          this.give(place, job);
          return;
        }
        this.free(place);
        job.reject(notDone());
      },
    });
  }

  private free(place: Place): void {
    place.job = undefined;
    const next = this.waiting.shift();
    if (next) this.give(place, next);
  }

  private tooMany(): AppError {
    const message = `${String(this.options.maxWaiting)} passwords already wait to be hashed; nothing was written`;
    return new AppError('too-many-hashes', message, { retry: 'safe', retryAfterSeconds: RETRY_AFTER_SECONDS });
  }
}

function notDone(): AppError {
  return new AppError('overloaded', 'the password could not be hashed; nothing was written', {
    retry: 'safe',
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}

function stopping(): AppError {
  return new AppError('shutting-down', 'this process is stopping; nothing was done', { retry: 'safe' });
}
