import { type DataSource } from 'typeorm';
import { AppError } from '../../src/kernel/index.js';
import {
  branch,
  type TransactionCoordinator,
  type TransactionOutcome,
  type TypeOrmWork,
} from '../../src/protocols/two-phase-commit/index.js';
import { InvoiceEntity } from './invoice.entity.js';
import type { LedgerEntry, LedgerParticipant } from './ledger.participant.js';

export type NewInvoice = Pick<InvoiceEntity, 'number' | 'account' | 'amountCents'>;

export class InvoiceService {
  constructor(
    private readonly coordinator: TransactionCoordinator<TypeOrmWork>,
    private readonly ledger: LedgerParticipant,
    private readonly reading: DataSource,
  ) {}

  /** An invoice in SQL and an entry in the ledger: both or neither. Rejects when neither is there, with the reason. */
  create(invoice: NewInvoice): Promise<TransactionOutcome<InvoiceEntity>> {
    const { number, account, amountCents } = invoice;
    return this.coordinator.execute<InvoiceEntity>({
      kind: 'invoice',
      branches: [branch(this.ledger, { account, amountCents, text: `invoice ${number}` })],
      decide: async (manager, { id }) => {
        const invoices = manager.getRepository(InvoiceEntity);
        if (await invoices.existsBy({ number })) throw alreadyThere(number);
        const row = { ...invoice, transactionId: id };
        await invoices.insert(row);
        return row;
      },
    });
  }

  list(): Promise<InvoiceEntity[]> {
    return this.reading.manager.find(InvoiceEntity, { order: { number: 'ASC' } });
  }

  entries(): readonly LedgerEntry[] {
    return this.ledger.entries();
  }
}

function alreadyThere(number: string): AppError {
  return new AppError('conflict', `invoice ${number} already exists`, { retry: 'never' });
}
