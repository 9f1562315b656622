import type { Answer } from '../../../../platform/http/index.js';
import type { RegisteredUser } from '../../registered-user.js';

export interface RegisteredUserView {
  readonly id: string;
  readonly correo: string;
}

export function userView({ id, email }: RegisteredUser): RegisteredUserView {
  return { id, correo: email };
}

export function registrationAnswer(user: RegisteredUser): Answer {
  return { status: 200, headers: {}, body: JSON.stringify({ message: 'registered', ...userView(user) }) };
}
