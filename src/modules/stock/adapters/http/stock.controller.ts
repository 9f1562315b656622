import { Controller, Get, Param, Post, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  DescribeAction,
  DescribePost,
  DescribeRead,
  type IdDescription,
  NoBody,
  openApiParts,
  parseAmount,
  parseShopId,
  recording,
  sendAnswer,
  sendResource,
} from '../../../../platform/http/index.js';
import { createdItemSchema, itemSchema } from '../../stock.schemas.js';
import { StockService } from '../../stock.service.js';
import { itemView, stockAnswer } from './stock-answers.js';

const IDS: IdDescription = { ...openApiParts.SHOP_IDS, name: 'item_id', example: 'book-1' };
const CHANGE = {
  ...{ shown: itemSchema, ids: IDS, bodiless: true, isRecorded: true },
  parameters: [openApiParts.pathNumber('amount', 'number of pieces', 10)],
};
const OF_A_BOOK = 'The item of a book is `book-` and the id of the book: its stock is the `quantity` of the book.';

@ApiTags('stock')
@Controller('stock')
export class StockController {
  constructor(private readonly stock: StockService) {}

  @Post('item/create/:price')
  @DescribePost({
    id: 'createItem',
    summary: 'Create an item without stock',
    resource: createdItemSchema,
    ...{ parameters: [openApiParts.pathNumber('price', 'in the smallest unit', 1250)], hasEtag: false, bodiless: true },
  })
  async create(
    @Param('price') price: string,
    @NoBody() _nothing: object,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    sendAnswer(reply, await this.stock.create(parseAmount(price, 'price'), recording(request, stockAnswer)));
  }

  @Get('find/:item_id')
  @DescribeRead({
    id: 'findItem',
    summary: 'Read the stock and the price of an item',
    description: OF_A_BOOK,
    resource: itemSchema,
    ids: IDS,
  })
  find(@Param('item_id') id: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    sendResource(request, reply, itemView(this.stock.find(parseShopId(id, 'item_id'))));
  }

  @Post('add/:item_id/:amount')
  @DescribeAction({
    id: 'addStock',
    summary: 'Deliver pieces of an item',
    description: OF_A_BOOK,
    ...CHANGE,
    refusals: ['not-found', 'conflict'],
    details: { conflict: '9007199254740991 of item 7 were delivered, and at most 9007199254740991 may be' },
  })
  async add(
    @Param('item_id') id: string,
    @Param('amount') amount: string,
    @NoBody() _nothing: object,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const [itemId, added] = [parseShopId(id, 'item_id'), parseAmount(amount, 'amount')];
    sendAnswer(reply, await this.stock.deliver(itemId, added, recording(request, stockAnswer)));
  }

  @Post('subtract/:item_id/:amount')
  @DescribeAction({
    id: 'subtractStock',
    summary: 'Take delivered pieces of an item back',
    description: OF_A_BOOK,
    ...CHANGE,
    refusals: ['not-found', 'too-little-stock'],
  })
  async subtract(
    @Param('item_id') id: string,
    @Param('amount') amount: string,
    @NoBody() _nothing: object,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const [itemId, taken] = [parseShopId(id, 'item_id'), parseAmount(amount, 'amount')];
    sendAnswer(reply, await this.stock.deliver(itemId, -taken, recording(request, stockAnswer)));
  }
}
