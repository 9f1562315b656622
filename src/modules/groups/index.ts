export { GROUP_OPERATIONS } from './adapters/http/group-operations.js';
export { serveGroups } from './adapters/http/group-routes.js';
export type { GroupOp } from './core/group-history.js';
export { GroupStore } from './group-store.js';
