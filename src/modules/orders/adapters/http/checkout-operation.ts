import {
  acceptedSchema,
  openApiParts as part,
  operation,
  SQL_REFUSALS,
  WRITE_REFUSALS,
} from '../../../../platform/http/index.js';
import { checkedOutSchema } from '../../order.schemas.js';

export const CHECKOUT_OPERATION = operation({
  id: 'checkOut',
  summary: 'Buy an order: take the stock, charge the user, mark the order as paid; or give everything back',
  description:
    'A saga over orders, payment and stock. The lines and their present prices are fixed first; exactly these are charged. ' +
    'A refusal is answered when everything is given back and the order is open again. With an Idempotency-Key a repeat joins ' +
    'the checkout that is in progress, and later gets the same answer, a refusal too; a new attempt needs a new key. Without ' +
    'the key a second request gets 409 until the first has ended.',
  parameters: [part.pathId({ ...part.SHOP_IDS, name: 'order_id' }), part.IDEMPOTENCY_KEY],
  bodiless: true,
  responses: {
    200: part.response('paid', checkedOutSchema, part.OF_WRITES),
    202: part.response(
      'the checkout is still in progress after CHECKOUT_TIMEOUT_MS: `/operations/{id}` and `/sagas/{id}` tell how it ends',
      acceptedSchema,
      { ...part.OPERATION_LOCATION, ...part.OF_WRITES },
    ),
  },
  refusals: [
    ...WRITE_REFUSALS,
    ...SQL_REFUSALS,
    ...(['malformed-id', 'not-found', 'conflict', 'too-little-stock', 'too-little-credit', 'credit-held'] as const),
    'too-many-checkouts',
  ],
  details: {
    'malformed-id': `order_id must be ${part.SHOP_IDS.description}`,
    'validation-failed': 'order_id must be that of an order with lines: add an item first',
    conflict: 'order 7 is paid',
  },
});
