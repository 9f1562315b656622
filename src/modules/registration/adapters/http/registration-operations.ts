import {
  type IdDescription,
  type Json,
  listOperation,
  type OpenApiOperation,
  openApiParts as part,
  operation,
  readOperation,
  SQL_REFUSALS,
  viewOperation,
  WRITE_REFUSALS,
} from '../../../../platform/http/index.js';
import * as shown from '../../registration.schemas.js';

/** `Authorization` is the user's token on these routes, so that an API key comes as `X-Api-Key`, where keys are set. */
const WITHOUT_TOKEN: readonly Json[] = [{}, { apiKey: [] }];
const WITH_TOKEN: readonly Json[] = [{ userToken: [] }, { userToken: [], apiKey: [] }];

const secured = (made: OpenApiOperation, security: readonly Json[]): OpenApiOperation => ({ ...made, security });

const NO_TOKEN = { unauthorized: 'send a valid token of a user as Authorization: Bearer (POST /token gives one)' };
const EMAILS: IdDescription = {
  name: 'correo',
  description: 'an e-mail: 3 to 320 characters with one @',
  schema: { ...part.TEXT, minLength: 3, maxLength: 320 },
  example: 'ada@example.org',
};
const USER_IDS: IdDescription = {
  description: 'a UUID in lower case',
  schema: { ...part.TEXT, format: 'uuid' },
  example: '019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77',
};

export const REGISTER_OPERATION = secured(
  operation({
    id: 'register',
    summary: 'Register a user',
    description:
      'Needs no token; one that is not valid is refused. The fields may also be called `email`, and `password` or `contrasena`. ' +
      'An e-mail is registered once, whatever its capitals. The password is kept as an argon2id hash (19 MiB, two passes) and is ' +
      'in no answer, log or record. 429 `too-many-hashes`: too many passwords wait to be hashed.',
    body: shown.credentialsSchema,
    parameters: [part.IDEMPOTENCY_KEY],
    responses: { 200: part.response('registered, and durable', shown.registrationSchema, part.OF_WRITES) },
    refusals: [...WRITE_REFUSALS, ...SQL_REFUSALS, 'exists', 'too-many-hashes'],
    details: { exists: 'correo is registered already; nothing was written' },
  }),
  [...WITHOUT_TOKEN, ...WITH_TOKEN],
);

export const CHECK_USER_OPERATION = secured(
  operation({
    id: 'checkUser',
    summary: 'Ask whether an e-mail can be registered',
    body: shown.emailQuestionSchema,
    parameters: [part.UNKEPT_KEY],
    responses: { 200: part.response('whether it can', shown.canRegisterSchema) },
    refusals: WRITE_REFUSALS,
  }),
  WITHOUT_TOKEN,
);

export const CHECK_OPERATION = secured(
  readOperation({
    id: 'readRegisteredUser',
    summary: 'Read one registered user by e-mail',
    description: 'Needs the token of a user.',
    resource: shown.registeredUserSchema,
    ids: EMAILS,
    details: NO_TOKEN,
  }),
  WITH_TOKEN,
);

export const LIST_OPERATION = secured(
  listOperation({
    id: 'listRegisteredUsers',
    summary: 'List the registered users',
    description: 'Needs the token of a user.',
    item: shown.registeredUserSchema,
    ids: USER_IDS,
    details: NO_TOKEN,
  }),
  WITH_TOKEN,
);

export const FIND_OPERATION = secured(
  viewOperation({
    id: 'findRegisteredUser',
    summary: 'Find a registered user by e-mail',
    description: 'An empty object when the e-mail is not registered.',
    shown: shown.foundUserSchema,
    parameters: [
      {
        ...part.parameter('query', 'correo', EMAILS.description, { ...EMAILS.schema, example: EMAILS.example }),
        required: true,
      },
    ],
  }),
  WITHOUT_TOKEN,
);

const ISSUE = operation({
  id: 'issueToken',
  summary: 'Get a token for a password, or without a body one that is good for registering only',
  description:
    'A token is valid for five hours. A wrong password and an unknown e-mail get the same answer after the same time. After ten ' +
    'attempts in a quarter of an hour the account is refused with 429 `too-many-logins`; a right password before that starts anew.',
  parameters: [part.UNKEPT_KEY],
  responses: { 200: part.response('the token', shown.tokenSchema) },
  refusals: [...WRITE_REFUSALS, 'too-many-hashes', 'too-many-logins'],
  details: { unauthorized: 'the e-mail or the password is wrong' },
});
/** The body may be absent. */
export const ISSUE_TOKEN_OPERATION = secured(
  { ...ISSUE, requestBody: part.bodyOf(shown.loginSchema, false) },
  WITHOUT_TOKEN,
);

export const CHECK_TOKEN_OPERATION = secured(
  viewOperation({
    id: 'checkToken',
    summary: 'Ask whether a token is valid',
    description: 'Takes the token with or without `Bearer`.',
    shown: shown.validTokenSchema,
    details: NO_TOKEN,
  }),
  WITH_TOKEN,
);
