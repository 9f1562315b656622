import type { Answer } from '../../../../platform/http/index.js';
import type { PaymentOutcome } from '../../payment.service.js';
import type { PaymentUser } from '../../payment-user.js';
import type { PaymentUserView } from '../../payment.schemas.js';

export function paymentView({ id, credit }: PaymentUser): PaymentUserView {
  return { user_id: id, credit };
}

export function paymentAnswer({ change, user }: PaymentOutcome): Answer {
  if (change === 'changed') return { status: 200, headers: {}, body: JSON.stringify(paymentView(user)) };
  const headers = { location: `/payment/find_user/${user.id}` };
  return { status: 201, headers, body: JSON.stringify({ user_id: user.id }) };
}
