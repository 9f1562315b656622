import { Controller, Get, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  acceptedAnswer,
  Describe,
  DescribeAction,
  DescribePost,
  DescribeRead,
  goesOnAfterAnswer,
  type IdDescription,
  NoBody,
  openApiParts,
  operationOf,
  parseAmount,
  parseShopId,
  recording,
  sendAnswer,
  sendResource,
} from '../../../../platform/http/index.js';
import { BATCH_INIT, parseRowCount, ROW_COUNT } from '../../../shop-sets/index.js';
import { CheckoutService } from '../../checkout/checkout.service.js';
import { OrderBatchInit } from '../../order-batch-init.js';
import { createdOrderSchema, orderSchema } from '../../order.schemas.js';
import { OrderService } from '../../order.service.js';
import { checkoutAnswer } from './checkout-answers.js';
import { CHECKOUT_OPERATION } from './checkout-operation.js';
import { orderAnswer, orderView } from './order-answers.js';

const ORDER_IDS: IdDescription = { ...openApiParts.SHOP_IDS, name: 'order_id' };
const USER_IDS: IdDescription = { ...openApiParts.SHOP_IDS, name: 'user_id' };
const ITEM_ID = openApiParts.pathId({ ...openApiParts.SHOP_IDS, name: 'item_id', example: 'book-1' });
const MAX_CHOICES = 1_000_000;
/** Each order holds two items. */
const MAX_ITEM_PRICE = Math.floor(Number.MAX_SAFE_INTEGER / 2);
const ITEM_COUNT = openApiParts.pathNumber('n_items', 'how many items there are to choose from', 100, MAX_CHOICES);
const USER_COUNT = openApiParts.pathNumber('n_users', 'how many users there are to choose from', 100, MAX_CHOICES);
const ITEM_PRICE = openApiParts.pathNumber('item_price', 'of each item, in the smallest unit', 1250, MAX_ITEM_PRICE);
const QUANTITY = openApiParts.pathNumber('quantity', 'how many pieces', 2, Number.MAX_SAFE_INTEGER, 1);

type PathParameters = Readonly<Record<string, string>>;

@ApiTags('orders')
@Controller('orders')
export class OrdersController {
  constructor(
    private readonly orders: OrderService,
    private readonly checkouts: CheckoutService,
    private readonly sets: OrderBatchInit,
  ) {}

  @Post('create/:user_id')
  @DescribePost({
    id: 'createOrder',
    summary: 'Create an order without items',
    resource: createdOrderSchema,
    ids: USER_IDS,
    hasEtag: false,
    bodiless: true,
    refusals: ['not-found'],
  })
  async create(
    @Param('user_id') userId: string,
    @NoBody() _nothing: object,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    sendAnswer(reply, await this.orders.create(parseShopId(userId, 'user_id'), recording(request, orderAnswer)));
  }

  @Get('find/:order_id')
  @DescribeRead({ id: 'findOrder', summary: 'Read an order', resource: orderSchema, ids: ORDER_IDS })
  find(@Param('order_id') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    sendResource(request, reply, orderView(this.orders.find(parseShopId(id, 'order_id'))));
  }

  @Post('batch_init/:n/:n_items/:n_users/:item_price')
  @HttpCode(200)
  @DescribeAction({
    id: 'initialiseOrders',
    summary: 'Replace the first orders by n orders of two random items each',
    ...BATCH_INIT,
    parameters: [ROW_COUNT, ITEM_COUNT, USER_COUNT, ITEM_PRICE],
  })
  async batchInit(
    @Param() { n = '', n_items: items = '', n_users: users = '', item_price: price = '' }: PathParameters,
    @NoBody() _nothing: object,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const parameters = {
      items: parseAmount(items, 'n_items', 1, MAX_CHOICES),
      users: parseAmount(users, 'n_users', 1, MAX_CHOICES),
      itemPrice: parseAmount(price, 'item_price', 0, MAX_ITEM_PRICE),
    };
    sendAnswer(reply, await this.sets.run(parseRowCount(n), parameters, operationOf(request)));
  }

  @Post('addItem/:order_id/:item_id/:quantity')
  @HttpCode(200)
  @DescribeAction({
    id: 'addItem',
    summary: 'Add a line to an order',
    description:
      'An item that is added twice has two lines. The order keeps showing the price of this moment; a checkout charges the price of its own.',
    shown: orderSchema,
    ids: ORDER_IDS,
    parameters: [ITEM_ID, QUANTITY],
    bodiless: true,
    isRecorded: true,
    refusals: ['not-found', 'conflict'],
    details: { conflict: 'order 7 is paid' },
  })
  async addItem(
    @Param() { order_id: id = '', item_id: itemId = '', quantity = '' }: PathParameters,
    @NoBody() _nothing: object,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const orderId = parseShopId(id, 'order_id');
    const line = { itemId: parseShopId(itemId, 'item_id'), quantity: parseAmount(quantity, 'quantity', 1) };
    sendAnswer(reply, await this.orders.addItem(orderId, line, recording(request, orderAnswer)));
  }

  @Post('checkout/:order_id')
  @HttpCode(200)
  @RouteConfig({ hasOwnAdmission: true })
  @Describe(CHECKOUT_OPERATION)
  async checkOut(
    @Param('order_id') id: string,
    @NoBody() _nothing: object,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const operation = operationOf(request);
    const outcome = await this.checkouts.checkOut(parseShopId(id, 'order_id'), operation);
    if (outcome.state === 'running') {
      goesOnAfterAnswer(request, outcome.ended);
      sendAnswer(reply, acceptedAnswer(operation.id, 'running'));
      return;
    }
    request.isAnswerKept = true;
    sendAnswer(reply, checkoutAnswer(outcome.checkout));
  }
}
