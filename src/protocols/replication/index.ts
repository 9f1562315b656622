export type * from './messages.js';
export { admits, type Confirmed } from './core/confirmation.js';
export { decideHandshake, type Heard, type OwnHistory, quorumOf } from './core/handshake.js';
export {
  beginPrimary,
  type ChainRelation,
  decidePrimary,
  type PrimaryDecision,
  type PrimaryEffect,
  type PrimaryInput,
  type PrimaryState,
} from './core/primary.js';
export { chooseRecovery, type RecoveryChoice } from './core/recovery.js';
export {
  decideReplica,
  NO_PROMISE,
  type ReplicaDecision,
  type ReplicaEffect,
  type ReplicaPromise,
  type ReplicaState,
  reportOf,
} from './core/replica.js';
export type { ReplicaView } from './core/replica-view.js';
export { HttpReplicaLink } from './shell/http-replica-link.js';
export type { ReplicaLink } from './shell/replica-link.js';
export { type FollowedPrimary, type ReplicaCounts, ReplicaShell } from './shell/replica-shell.js';
export type { ReplicaStore } from './shell/replica-store.js';
export { ActiveApp, type ActiveAppOptions } from './shell/active-app.js';
export { type ClusterProof, type ClusterSecretSources, openClusterProof } from './shell/cluster-proof.js';
export { isAuthorized, replicationAuthorization } from './shell/replication-authorization.js';
export { serveReplication } from './shell/replication-routes.js';
export { INSTALL_HEADER, REPLICATION_PATHS, type ShippedAppend, type StateHashAt } from './shell/wire.js';
export { PrimaryPresence } from './shell/primary-presence.js';
export { forward, type ForwardingOptions, outcomeUnknown, returnedHeaders } from './shell/forwarding.js';
export { serveForwardedWrites } from './shell/write-forwarding.js';
export { openReplicaDocuments, type ReplicaDocuments } from './stores/replica-documents.js';
export type { WriteConcern } from './shell/confirmations.js';
export type { PrimaryStore } from './shell/primary-store.js';
export { ReplicationPrimary } from './shell/primary-shell.js';
export { askAll } from './shell/ask-all.js';
