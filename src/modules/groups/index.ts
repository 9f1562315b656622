export {
  groupInputSchema,
  groupListSchema,
  groupMessageSchema,
  groupSchema,
  groupUndoneSchema,
} from './adapters/http/group.schemas.js';
export { serveGroups } from './adapters/http/group-routes.js';
export { GroupStore } from './group-store.js';
