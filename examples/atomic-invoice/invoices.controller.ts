import { Body, Controller, Get, Inject, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { BODY_PIPE } from '../../src/platform/http/index.js';
import type { InvoiceEntity } from './invoice.entity.js';
import { InvoiceService, type NewInvoice } from './invoice.service.js';
import type { LedgerEntry } from './ledger.participant.js';

const newInvoiceSchema = z.strictObject({
  number: z.string().min(1).max(50),
  account: z.string().min(1).max(50),
  amountCents: z.int().min(1).max(1_000_000_000),
});

const ABOUT = {
  name: 'atomic-invoice',
  description: 'An invoice in SQL and an entry in a ledger: both or neither. POST /invoices writes both.',
  links: { invoices: '/invoices', ledger: '/ledger' },
  guide: 'docs/guides/atomic-write-over-two-stores.md',
};

@Controller()
export class InvoicesController {
  constructor(@Inject(InvoiceService) private readonly invoices: InvoiceService) {}

  @Get()
  about(): typeof ABOUT {
    return ABOUT;
  }

  /** 201: both are there. 202: certain to come, or not known yet; a refusal says that neither is there. */
  @Post('invoices')
  async create(
    @Body({ schema: newInvoiceSchema, pipes: [BODY_PIPE] }) invoice: NewInvoice,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const outcome = await this.invoices.create(invoice);
    if (outcome.state === 'committed') void reply.code(201).send(outcome.result);
    else void reply.code(202).send({ transactionId: outcome.id, state: outcome.state });
  }

  @Get('invoices')
  list(): Promise<InvoiceEntity[]> {
    return this.invoices.list();
  }

  @Get('ledger')
  entries(): readonly LedgerEntry[] {
    return this.invoices.entries();
  }
}
