import type { Database } from 'better-sqlite3';
import { AppError } from '../../src/kernel/index.js';
import {
  decideParticipant,
  type InDoubt,
  type Participant,
  type ParticipantState,
  type Acknowledgement,
  type TransactionHead,
  type TransactionId,
  type Vote,
} from '../../src/protocols/two-phase-commit/index.js';

/** The example of DESIGN.md for authors of a participant. */
export class NamesParticipant implements Participant<string> {
  readonly name = 'names';

  constructor(private readonly db: Database) {
    db.exec('CREATE TABLE IF NOT EXISTS names (id TEXT PRIMARY KEY, state TEXT, name TEXT, head TEXT)');
  }

  async prepare(head: TransactionHead, name: string): Promise<Vote> {
    const { state, keep, answer } = decideParticipant(this.stateOf(head.id), 'prepare');
    const isTaken =
      this.db.prepare("SELECT 1 FROM names WHERE name = ? AND state <> 'aborted'").get(name) !== undefined;
    if (answer === 'no' || (keep === 'promise' && isTaken)) {
      return { vote: 'no', reason: new AppError('conflict', `${name} is taken`, { retry: 'never' }) };
    }
    const promise = JSON.stringify({ ...head, preparedAtMs: Date.now() });
    if (keep) this.db.prepare('INSERT INTO names VALUES (?, ?, ?, ?)').run(head.id, state, name, promise);
    return { vote: 'yes' };
  }

  commit = (id: TransactionId): Promise<Acknowledgement> => this.carryOut(id, 'commit');
  abort = (id: TransactionId): Promise<Acknowledgement> => this.carryOut(id, 'abort');

  async inDoubt(): Promise<readonly InDoubt[]> {
    const promises = this.db.prepare("SELECT head FROM names WHERE state = 'prepared' ORDER BY rowid").pluck().all();
    return promises.map((promise) => JSON.parse(promise as string) as InDoubt);
  }

  private async carryOut(id: TransactionId, message: 'commit' | 'abort'): Promise<Acknowledgement> {
    const { state, keep, answer } = decideParticipant(this.stateOf(id), message);
    if (answer === 'contradiction') throw new AppError('data-corrupt', `${id} is ${state}`, { retry: 'never' });
    const sql = 'INSERT INTO names (id, state) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET state = excluded.state';
    if (keep) this.db.prepare(sql).run(id, state);
    return {};
  }

  private stateOf(id: TransactionId): ParticipantState {
    const state = this.db.prepare<[string], ParticipantState>('SELECT state FROM names WHERE id = ?').pluck().get(id);
    return state ?? 'unknown';
  }
}
