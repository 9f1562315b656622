export {
  groupInputSchema,
  groupListSchema,
  groupMessageSchema,
  groupSchema,
  groupUndoneSchema,
  groupVersionSchema,
} from './adapters/http/group.schemas.js';
export { serveGroups } from './adapters/http/group-routes.js';
export type { GroupOp } from './core/group-history.js';
export { GroupStore } from './group-store.js';
