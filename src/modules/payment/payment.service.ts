import type { RecordedAnswer, Recording } from '../../platform/sql/index.js';
import type { OpenSqlFile } from '../store-registration/index.js';
import { charged, funded, newUser, noUser, type PaymentUser } from './payment-user.js';
import type { PaymentRepository } from './payment.repository.js';

export interface PaymentOutcome {
  readonly change: 'created' | 'changed';
  readonly user: PaymentUser;
}

type PaymentRecording = Recording<PaymentOutcome>;

export class PaymentService {
  constructor(
    private readonly file: OpenSqlFile,
    private readonly users: PaymentRepository,
    private readonly newId: () => string,
  ) {}

  /** A new user has no credit. */
  create(recording: PaymentRecording): Promise<RecordedAnswer> {
    return this.write(recording, () => {
      const user = newUser(this.newId());
      this.users.put(user);
      return { change: 'created', user };
    });
  }

  /** Rejects with `not-found` or `conflict`. */
  addFunds(id: string, amount: number, recording: PaymentRecording): Promise<RecordedAnswer> {
    return this.change(id, (user) => funded(user, amount), recording);
  }

  /** Rejects with `not-found`, `too-little-credit` or `credit-held`. */
  pay(id: string, amount: number, recording: PaymentRecording): Promise<RecordedAnswer> {
    return this.change(id, (user) => charged(user, amount), recording);
  }

  /** Throws `not-found`. */
  find(id: string): PaymentUser {
    const user = this.users.find(id);
    if (user === undefined) throw noUser(id);
    return user;
  }

  private change(
    id: string,
    change: (user: PaymentUser) => PaymentUser,
    recording: PaymentRecording,
  ): Promise<RecordedAnswer> {
    return this.write(recording, () => ({ change: 'changed', user: this.users.change(id, change) }));
  }

  private write(recording: PaymentRecording, work: () => PaymentOutcome): Promise<RecordedAnswer> {
    const { database, operations } = this.file;
    return database.writer.run(() => operations.record(recording, work()));
  }
}
