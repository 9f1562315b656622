import {
  CHANGE_REFUSALS,
  COMMON_REFUSALS,
  type Json,
  openApiParts,
  type OpenApiResponse,
  operation,
  WRITE_REFUSALS,
} from '../../../../platform/http/index.js';
import {
  groupInputSchema,
  groupListSchema,
  groupMessageSchema,
  groupSchema,
  groupUndoneSchema,
  groupVersionSchema,
} from './group.schemas.js';

const { header, parameter, pathId, REPLAYED, response, schemaOf, TEXT } = openApiParts;

const PRINTABLE = { ...TEXT, minLength: 1, maxLength: 255 };
/** Up to 30 digits, more than a JSON or 64-bit integer holds. */
const VERSION = { ...TEXT, pattern: '^[1-9]\\d{0,29}$' };

const OPERATION_ID = parameter(
  'header',
  'X-Operation-Id',
  'Id of the operation, chosen by the caller: 1 to 255 printable characters. The operation takes effect once, a repeat ' +
    'gets the same answer, and X-Undo can undo it for a day. Every answer returns the id',
  PRINTABLE,
);
const ASKED_WITH = [
  OPERATION_ID,
  parameter(
    'header',
    'X-Group-Version',
    'Version that another node gave the operation; default: the next version of this node. The operation with the ' +
      'highest version decides whether a group exists, in whatever order operations arrive. At most 1000000 above ' +
      'the highest version that this node has seen',
    VERSION,
  ),
  parameter(
    'header',
    'X-Group-Version-After',
    'Without X-Group-Version: this node gives a version above this one, because other nodes have seen higher versions',
    VERSION,
  ),
  parameter(
    'header',
    'X-Undo',
    'Id of an operation to undo instead; if that operation arrives later, it is refused with 409. DELETE /v1/group undoes ' +
      'a create, POST /v1/group a delete, DELETE /v1/groups a clear. Other operations keep their effects',
    PRINTABLE,
  ),
  parameter(
    'header',
    'Idempotency-Key',
    '1 to 255 printable characters: the write takes effect once. Ignored beside X-Operation-Id',
    PRINTABLE,
  ),
];

const SHOWN_VERSION = { ...VERSION, example: '7' };
const MET = parameter('header', 'X-Group-Version', 'highest version that other nodes have seen', SHOWN_VERSION);

const ID_BACK = { 'X-Operation-Id': header('the id that the request sent; absent without one') };
const OF_A_READ = {
  ...ID_BACK,
  'X-Group-Version': header('highest version that this node has seen; absent when no X-Operation-Id was sent', '6'),
};
const OF_A_WRITE = {
  ...ID_BACK,
  'X-Group-Version': header('version of the operation; absent when it has no id, and for an undo', '7'),
  ...REPLAYED,
};
const LOCATION = { Location: header('path of the group', '/v1/group/1') };

const WRITE = {
  parameters: ASKED_WITH,
  details: {
    'not-found': 'group 1 does not exist on this node',
    'idempotency-key-reused': 'operation 7 was used before for a different request',
    'outcome-unknown': 'this node is stopping: send operation 7 again with X-Operation-Id to learn its outcome',
  },
};
const REFUSALS = [...WRITE_REFUSALS, 'undone', 'overtaken'] as const;

const UNDONE = 'with X-Undo: this node has undone the operation, or will refuse it when it arrives';
const undone = {
  message: 'operation 019a9e5c-7b1e-7c55-9d3e-0f6b8f1f2a77 was undone on this node',
  nodeId: '127.0.0.1:5071',
};
const removedOrUndone = (done: Json, more: Json): OpenApiResponse => ({
  description: `removed, durably; or ${UNDONE}`,
  headers: OF_A_WRITE,
  content: {
    'application/json': {
      schema: { oneOf: [schemaOf(groupMessageSchema), schemaOf(groupUndoneSchema)] },
      examples: { done: { value: done }, undone: { value: { ...undone, ...more } } },
    },
  },
});

export const GROUP_OPERATIONS = {
  '/v1/groups': {
    get: operation({
      id: 'listGroups',
      summary: 'List all groups of this node, sorted by id',
      parameters: [OPERATION_ID],
      responses: { 200: response('the groups', groupListSchema, OF_A_READ) },
      refusals: COMMON_REFUSALS,
    }),
    delete: operation({
      ...WRITE,
      id: 'clearGroups',
      summary: 'Delete all groups of this node',
      description: 'Takes no body. A body that names a group is refused: it belongs to /v1/group.',
      responses: { 200: removedOrUndone({ message: '2 groups are deleted' }, {}) },
      refusals: REFUSALS,
    }),
  },
  '/v1/groups/version': {
    put: operation({
      id: 'raiseGroupVersion',
      summary: 'Raise the highest version that this node has seen',
      description:
        'For a node that is new or was down for a long time: it then gives later operations versions above this one and ' +
        'accepts the versions of other nodes. The version is never lowered, and no group changes. `npm run cluster -- ' +
        'repair` does this where it is needed.',
      parameters: [{ ...MET, required: true }],
      responses: { 200: response('the highest version that this node has now seen', groupVersionSchema, OF_A_READ) },
      refusals: CHANGE_REFUSALS,
    }),
  },
  '/v1/group': {
    post: operation({
      ...WRITE,
      id: 'createGroup',
      summary: 'Create a group on this node',
      description:
        'On this node alone; `npm run cluster` creates a group on all nodes or on none. The ids `.` and `..` are ' +
        'refused: in a URL they mean a folder. The code `exists` means that the node already has the group.',
      body: groupInputSchema,
      responses: {
        200: response(UNDONE, groupUndoneSchema, ID_BACK),
        201: response('created, and durable', groupSchema, { ...LOCATION, ...OF_A_WRITE }),
      },
      refusals: [...REFUSALS, 'exists'],
    }),
    delete: operation({
      ...WRITE,
      id: 'deleteGroup',
      summary: 'Delete the group that the body names',
      description: 'The body holds the id, because a URL cannot hold every id.',
      body: groupInputSchema,
      responses: { 200: removedOrUndone({ message: 'group 1 is deleted' }, { groupId: '1', present: false }) },
      refusals: [...REFUSALS, 'not-found'],
    }),
  },
  '/v1/group/{groupId}': {
    get: operation({
      id: 'readGroup',
      summary: 'Read one group of this node',
      parameters: [
        pathId({ name: 'groupId', description: 'the id, percent-encoded', schema: PRINTABLE, example: '1' }),
        OPERATION_ID,
      ],
      responses: { 200: response('the group', groupSchema, OF_A_READ) },
      refusals: [...COMMON_REFUSALS, 'not-found'],
      details: WRITE.details,
    }),
  },
};
