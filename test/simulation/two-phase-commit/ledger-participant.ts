import { AppError } from '../../../src/kernel/index.js';
import type {
  InDoubt,
  Participant,
  Acknowledgement,
  TransactionHead,
  TransactionId,
  Vote,
} from '../../../src/protocols/two-phase-commit/index.js';
import type { SimulatedNetwork } from '../replication/simulated-network.js';
import type { LedgerMessage, LedgerReply, SimulatedLedger } from './simulated-ledger.js';
import type { SimulatedIncarnation } from './simulated-incarnation.js';

const ANSWER_WITHIN_MS = 400;
const ASKED_AT_MOST = 5;

/** The ledger as one incarnation of the process reaches it: requests may be lost. */
export class LedgerParticipant implements Participant<undefined> {
  readonly name = 'ledger';

  constructor(
    private readonly ledger: SimulatedLedger,
    private readonly network: SimulatedNetwork,
    private readonly incarnation: SimulatedIncarnation,
  ) {}

  async prepare(head: TransactionHead): Promise<Vote> {
    const reply = await this.ask({ kind: 'prepare', head });
    if (reply.kind === 'vote' && reply.isYes) return { vote: 'yes' };
    return { vote: 'no', reason: new AppError('overloaded', 'the ledger is full for now', { retry: 'safe' }) };
  }

  commit(id: TransactionId): Promise<Acknowledgement> {
    return this.notify({ kind: 'commit', id });
  }

  abort(id: TransactionId): Promise<Acknowledgement> {
    return this.notify({ kind: 'abort', id });
  }

  async inDoubt(): Promise<readonly InDoubt[]> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const reply = await this.ask({ kind: 'in-doubt' });
        return reply.kind === 'in-doubt' ? reply.found : [];
      } catch (error) {
        if (attempt === ASKED_AT_MOST) throw error;
      }
    }
  }

  private async notify(message: LedgerMessage): Promise<Acknowledgement> {
    await this.ask(message);
    return {};
  }

  private ask(message: LedgerMessage): Promise<LedgerReply> {
    return this.incarnation.promise((resolve, reject) => {
      this.network.request(this.incarnation, this.ledger, message, ANSWER_WITHIN_MS, (reply) => {
        if (reply) resolve(reply);
        else reject(new AppError('not-ready', 'the ledger does not answer', { retry: 'unknown' }));
      });
    });
  }
}
