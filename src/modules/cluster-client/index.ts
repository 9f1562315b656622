export { ClusterClient } from './cluster-client.js';
export type { ClusterOptions, ClusterPorts } from './cluster-client.js';
export type { NodeStatus, Wanted } from './core/intent.js';
export { inOrder, parseNode } from './core/node-order.js';
export type { Outcome, UnknownRule } from './core/operation.js';
export type {
  GroupReading,
  ListReading,
  NodeReading,
  NodeReport,
  OperationReport,
  RepairReport,
  StatusReading,
} from './reports.js';
export type { Progress } from './shell/run-operation.js';
