import {
  answer,
  EVERYWHERE,
  header,
  IDEMPOTENCY_KEY,
  type Json,
  OF_WRITES,
  operation,
  parameter,
  ref,
  text,
  wholeNumber,
} from './openapi-parts.js';

const GROUP_ID = parameter('path', 'groupId', 'the id, URL-encoded', text, { required: true, example: '1' });
const OPERATION_ID = parameter(
  'header',
  'X-Operation-Id',
  'a name for the operation, 1 to 255 printable characters: done once, however often it comes, and echoed by the answer',
  text,
);
const VERSION = parameter(
  'header',
  'X-Group-Version',
  'which place the operation has among those on all nodes: the highest one that is not undone decides. Absent: behind ' +
    'all that this node has seen',
  wholeNumber(1),
);

function undoes(what: string): Json {
  const description = `the id of ${what}: undoes that instead, or, when it has not come here yet, refuses it when it comes`;
  return parameter('header', 'X-Undo', description, text);
}

const ECHO = { 'X-Operation-Id': header('the id of the operation; of a read, that of the request') };
const OF_A_WRITE = {
  ...ECHO,
  'X-Group-Version': header('the version of the operation', '42'),
  'Idempotency-Replayed': header('`true` when the operation was done before: the answer is that of the first time'),
};
const WRITE = [OPERATION_ID, VERSION, IDEMPOTENCY_KEY];
const MEANING = {
  409: '`undone`: the operation was undone before; it is not done again',
  422: 'the X-Operation-Id or Idempotency-Key was sent before for another group or kind of operation',
  504: 'may or may not be done: send it again with the same X-Operation-Id',
};
const REFUSED = [...OF_WRITES, 409];
const UNDONE = 'With X-Undo: `groupId`, `nodeId` and in `present` whether the group is there now.';

export const GROUPS = {
  get: operation({
    id: 'listGroups',
    tag: 'groups',
    summary: 'All groups of this node, sorted by their ids',
    answers: { 200: answer('the groups', ref('GroupList'), ECHO) },
    refused: EVERYWHERE,
  }),
  delete: operation({
    id: 'clearGroups',
    tag: 'groups',
    summary: 'Remove all groups of this node',
    description: 'An undo of a clear gives back what that removed, unless something else has removed it as well.',
    parameters: [...WRITE, undoes('a clear')],
    answers: { 200: answer('gone, durably', ref('GroupMessage'), OF_A_WRITE) },
    refused: REFUSED,
    meaning: MEANING,
  }),
};

export const GROUP = {
  post: operation({
    id: 'createGroup',
    tag: 'groups',
    summary: 'Create a group on this node',
    parameters: [...WRITE, undoes('a delete of this group')],
    body: ref('GroupInput'),
    answers: {
      200: answer(`the delete was undone. ${UNDONE}`, ref('GroupMessage'), OF_A_WRITE),
      201: answer('created, and durable', ref('Group'), { Location: header('path of the group'), ...OF_A_WRITE }),
    },
    refused: REFUSED,
    meaning: { ...MEANING, 400: 'bad input, or `exists`: the group is there already; `errors` names the fields' },
  }),
  delete: operation({
    id: 'deleteGroup',
    tag: 'groups',
    summary: 'Delete the group that the body names from this node',
    parameters: [...WRITE, undoes('a create of this group')],
    body: ref('GroupInput'),
    answers: { 200: answer(`gone, durably; or the create was undone. ${UNDONE}`, ref('GroupMessage'), OF_A_WRITE) },
    refused: [...REFUSED, 404],
    meaning: MEANING,
  }),
};

export const GROUP_BY_ID = {
  get: operation({
    id: 'readGroup',
    tag: 'groups',
    summary: 'One group of this node',
    parameters: [GROUP_ID],
    answers: { 200: answer('the group', ref('Group'), ECHO) },
    refused: [400, ...EVERYWHERE, 404],
  }),
};
