import { Controller, Param, Post, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  DescribeAction,
  NoBody,
  openApiParts,
  operationOf,
  parseAmount,
  sendAnswer,
} from '../../../../platform/http/index.js';
import { BATCH_INIT, parseRowCount, ROW_COUNT } from '../../../shop-sets/index.js';
import { StockBatchInit } from '../../stock-batch-init.js';

@ApiTags('stock')
@Controller('stock')
export class StockBatchInitController {
  constructor(private readonly sets: StockBatchInit) {}

  @Post('batch_init/:n/:starting_stock/:item_price')
  @DescribeAction({
    ...BATCH_INIT,
    id: 'initialiseItems',
    summary: 'Replace n items',
    parameters: [
      ROW_COUNT,
      openApiParts.pathNumber('starting_stock', 'the stock of each', 100),
      openApiParts.pathNumber('item_price', 'in the smallest unit', 5),
    ],
  })
  async initialise(
    @Param('n') n: string,
    @Param('starting_stock') stock: string,
    @Param('item_price') price: string,
    @NoBody() _nothing: object,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const rowCount = parseRowCount(n);
    const parameters = { stock: parseAmount(stock, 'starting_stock'), price: parseAmount(price, 'item_price') };
    sendAnswer(reply, await this.sets.run(rowCount, parameters, operationOf(request)));
  }
}
