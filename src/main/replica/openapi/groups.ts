import { answer, EVERYWHERE, header, type Json, operation, parameter, ref, text, wholeNumber } from './parts.js';

const printable = { ...text, minLength: 1, maxLength: 255 };
const GROUP_ID = parameter('path', 'groupId', 'the id, percent-encoded', printable, { required: true, example: '1' });
/* Optional headers have no examples: Swagger UI fills them in, and sends what nobody meant. */
const OPERATION_ID = parameter(
  'header',
  'X-Operation-Id',
  'what the caller calls this operation, 1 to 255 printable characters: it takes effect once, is answered alike when it ' +
    'comes again, and can be undone by this id for a day. Given back with every answer',
  printable,
);
const VERSION_SCHEMA = { type: 'integer', minimum: 1, example: 7 };
const VERSION = parameter(
  'header',
  'X-Group-Version',
  'the place of the operation among all, as another node has given it; absent: the next one here. The highest that ' +
    'counts decides whether a group is there, in whatever order they come. At most 1000000 above the highest that this ' +
    'node has met',
  wholeNumber(1),
);
const VERSION_AFTER = parameter(
  'header',
  'X-Group-Version-After',
  'where X-Group-Version is absent: the place is above this one, as another node may have met more than this one has',
  wholeNumber(1),
);
const UNDO = parameter(
  'header',
  'X-Undo',
  'the id of an operation that is undone instead, and refused with 409 when it comes after this: a create by DELETE ' +
    '/v1/group, a delete by POST /v1/group, a clear by DELETE /v1/groups. What other operations did stays',
  printable,
);
const KEY = parameter(
  'header',
  'Idempotency-Key',
  '1 to 255 printable characters: the write takes effect once. Where X-Operation-Id is sent, that counts',
  printable,
);
const ASKED_WITH = [OPERATION_ID, VERSION, VERSION_AFTER, UNDO, KEY];

const ID_BACK = { 'X-Operation-Id': header('as it was sent; absent when none was') };
const OF_A_READ = {
  ...ID_BACK,
  'X-Group-Version': header('the highest place that this node has met; absent when no X-Operation-Id was sent', '6'),
};
const OF_A_WRITE = {
  ...ID_BACK,
  'X-Group-Version': header('the place of the operation; absent when it has no id and for an undo', '7'),
  'Idempotency-Replayed': header('`true` on the answer to a repeated Idempotency-Key'),
};
const LOCATION = { Location: header('path of the group', '/v1/group/1') };

const OF_WRITES = [...EVERYWHERE, 409, 413, 415, 422, 503, 504];
const MEANT = {
  400: 'bad input, also an unknown field or a header that cannot be; `errors` names it; nothing was written',
  404: 'there is no such group on this node',
  409:
    '`undone`: the operation was undone before it came, and will not be done. `overtaken`: an operation with a higher ' +
    'version stands there already, and this one would change nothing',
  422: 'the operation id or key has come before with something else',
  429:
    'too many requests (only where a limit is set), or more ids and keys, or more undos of operations that have not come, ' +
    'than are kept for one caller; nothing was done',
  504: 'may or may not be done: send it again with the same X-Operation-Id or Idempotency-Key',
};
const UNDONE = 'with X-Undo: the operation is undone here, also when it has not come yet';
const examples = (values: Readonly<Record<string, Json>>): Json =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }]));
const undoneExample = (more: Json): Json => ({
  message: 'operation 019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77 is undone here',
  nodeId: '127.0.0.1:5071',
  ...more,
});
const doneOrUndone = (said: string, done: Json, undone: Json): Json => ({
  description: `${said}; or ${UNDONE}`,
  headers: OF_A_WRITE,
  content: {
    'application/json': {
      schema: { oneOf: [ref('GroupMessage'), ref('GroupUndone')] },
      examples: examples({ done, undone: undoneExample(undone) }),
    },
  },
});

export const ALL_GROUPS = {
  get: operation({
    id: 'listGroups',
    tag: 'groups',
    summary: 'The groups of this node',
    description: 'All of them, sorted by id.',
    parameters: [OPERATION_ID],
    answers: { 200: answer('the groups', ref('GroupList'), OF_A_READ) },
    refused: EVERYWHERE,
  }),
  delete: operation({
    id: 'clearGroups',
    tag: 'groups',
    summary: 'Delete all groups of this node',
    description: 'Takes no body: one that names a group is refused, as it was meant for /v1/group.',
    parameters: ASKED_WITH,
    answers: { 200: doneOrUndone('gone, durably', { message: '2 groups are deleted' }, {}) },
    refused: OF_WRITES,
    known: MEANT,
  }),
};

export const GROUPS_VERSION = {
  put: operation({
    id: 'raiseGroupVersion',
    tag: 'groups',
    summary: 'Tell this node which version others have met',
    description:
      'For a node that is new or was away long: it gives later operations versions above this one, and takes those of ' +
      'other nodes. It is never lowered, and changes no group. `npm run cluster -- repair` does this where it is needed.',
    parameters: [
      parameter('header', 'X-Group-Version', 'the highest version that other nodes have met', VERSION_SCHEMA, {
        required: true,
      }),
    ],
    answers: { 200: answer('the highest version that this node has met now', ref('GroupVersion'), OF_A_READ) },
    refused: [...EVERYWHERE, 413, 415, 503, 504],
  }),
};

export const GROUP = {
  post: operation({
    id: 'createGroup',
    tag: 'groups',
    summary: 'Create a group on this node',
    description:
      'On this node alone. For a group on all nodes or on none there is `npm run cluster`. The ids `.` and `..` mean a ' +
      'folder in URLs, and are refused.',
    parameters: ASKED_WITH,
    body: ref('GroupInput'),
    answers: {
      200: answer(UNDONE, ref('GroupUndone'), ID_BACK),
      201: answer('created and durable', ref('Group'), { ...LOCATION, ...OF_A_WRITE }),
    },
    refused: OF_WRITES,
    known: { ...MEANT, 400: `${MEANT[400]}. \`exists\`: there is such a group already` },
  }),
  delete: operation({
    id: 'deleteGroup',
    tag: 'groups',
    summary: 'Delete the group that the body names',
    description: 'The body is needed: it names the group, whose id may be one that no URL can name.',
    parameters: ASKED_WITH,
    body: ref('GroupInput'),
    answers: {
      200: doneOrUndone('gone, durably', { message: 'group 1 is deleted' }, { groupId: '1', present: false }),
    },
    refused: [...OF_WRITES, 404],
    known: MEANT,
  }),
};

export const ONE_GROUP = {
  get: operation({
    id: 'readGroup',
    tag: 'groups',
    summary: 'One group of this node',
    parameters: [GROUP_ID, OPERATION_ID],
    answers: { 200: answer('the group', ref('Group'), OF_A_READ) },
    refused: [...EVERYWHERE, 404],
    known: MEANT,
  }),
};
