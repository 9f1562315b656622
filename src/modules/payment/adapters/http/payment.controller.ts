import { Controller, Get, Param, Post, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  DescribeAction,
  DescribePost,
  DescribeRead,
  type IdDescription,
  NoBody,
  operationOf,
  openApiParts,
  parseAmount,
  parseShopId,
  recording,
  sendAnswer,
  sendResource,
} from '../../../../platform/http/index.js';
import { BATCH_INIT, parseRowCount, ROW_COUNT } from '../../../shop-sets/index.js';
import { PaymentBatchInit } from '../../payment-batch-init.js';
import { PaymentService } from '../../payment.service.js';
import { createdPaymentUserSchema, paymentUserSchema } from '../../payment.schemas.js';
import { paymentAnswer, paymentView } from './payment-answers.js';

const IDS: IdDescription = { ...openApiParts.SHOP_IDS, name: 'user_id' };
const AMOUNT = openApiParts.pathNumber('amount', 'in the smallest unit', 100);
const CHANGE = { shown: paymentUserSchema, ids: IDS, parameters: [AMOUNT], bodiless: true, isRecorded: true };

@ApiTags('payment')
@Controller('payment')
export class PaymentController {
  constructor(
    private readonly payment: PaymentService,
    private readonly sets: PaymentBatchInit,
  ) {}

  @Post('create_user')
  @DescribePost({
    id: 'createPaymentUser',
    summary: 'Create a user without credit',
    resource: createdPaymentUserSchema,
    hasEtag: false,
    bodiless: true,
  })
  async create(@NoBody() _nothing: object, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    sendAnswer(reply, await this.payment.create(recording(request, paymentAnswer)));
  }

  @Get('find_user/:user_id')
  @DescribeRead({
    id: 'findPaymentUser',
    summary: "Read a user's credit",
    description: 'What checkouts under way hold is not part of the credit.',
    resource: paymentUserSchema,
    ids: IDS,
  })
  find(@Param('user_id') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    sendResource(request, reply, paymentView(this.payment.find(parseShopId(id, 'user_id'))));
  }

  @Post('add_funds/:user_id/:amount')
  @DescribeAction({
    id: 'addFunds',
    summary: 'Add to the credit of a user',
    ...CHANGE,
    refusals: ['not-found', 'conflict'],
    details: { conflict: 'user 7 was funded with 9007199254740991, and may be with at most 9007199254740991' },
  })
  async addFunds(
    @Param('user_id') id: string,
    @Param('amount') amount: string,
    @NoBody() _nothing: object,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const [userId, added] = [parseShopId(id, 'user_id'), parseAmount(amount, 'amount')];
    sendAnswer(reply, await this.payment.addFunds(userId, added, recording(request, paymentAnswer)));
  }

  @Post('batch_init/:n/:starting_money')
  @DescribeAction({
    ...BATCH_INIT,
    id: 'initialiseUsers',
    summary: 'Replace n users',
    parameters: [ROW_COUNT, openApiParts.pathNumber('starting_money', 'the credit of each', 100)],
  })
  async initialise(
    @Param('n') n: string,
    @Param('starting_money') money: string,
    @NoBody() _nothing: object,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const [rowCount, startingMoney] = [parseRowCount(n), parseAmount(money, 'starting_money')];
    sendAnswer(reply, await this.sets.run(rowCount, { startingMoney }, operationOf(request)));
  }

  @Post('pay/:user_id/:amount')
  @DescribeAction({
    id: 'pay',
    summary: 'Charge a user',
    description: '`credit-held`: the credit would suffice if no checkout held part of it.',
    ...CHANGE,
    refusals: ['not-found', 'too-little-credit', 'credit-held'],
  })
  async pay(
    @Param('user_id') id: string,
    @Param('amount') amount: string,
    @NoBody() _nothing: object,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const [userId, charge] = [parseShopId(id, 'user_id'), parseAmount(amount, 'amount')];
    sendAnswer(reply, await this.payment.pay(userId, charge, recording(request, paymentAnswer)));
  }
}
