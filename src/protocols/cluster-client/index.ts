export { ClusterClient, systemPorts } from './cluster-client.js';
export type { ClusterOptions, ClusterPorts } from './cluster-client.js';
export type { NodeStatus, Wanted } from './core/intent.js';
export { inOrder, parseNode } from './core/node-order.js';
export type { Outcome, UnknownRule } from './core/operation.js';
export type {
  GroupReading,
  ListReading,
  NodeReading,
  NodeReport,
  NodeVersion,
  OpenOperation,
  OperationReport,
  RepairReport,
  StatusReading,
} from './reports.js';
export type { Progress } from './shell/run-operation.js';
import { INTENT_CRASH_SITES } from './shell/intent-files.js';
import { CALL_CRASH_SITES } from './shell/node-calls.js';

export const CLUSTER_CRASH_SITES = [...INTENT_CRASH_SITES, ...CALL_CRASH_SITES] as const;
