export { type Echo, ECHO_PATH, echoOf, echoSchema } from './echo.js';
export { ENDED, type Health, type MonitorState, type Rules, type Verdict, type Watched } from './core/monitor.js';
export { detectionMs, recoveryMs, type Takeover, takeoverMs } from './core/takeover.js';
export { FailoverMonitor, type HealthChange, type MonitorPorts } from './shell/monitor.js';
export { type ActiveProcess, activeAmong, type EchoedAddress } from './core/active.js';
export {
  arrived,
  deadlineOf,
  decide,
  type Ending,
  type Holding,
  type HoldingDecision,
  type HoldingEffect,
  type HoldingInput,
  type HoldingLimits,
} from './core/holding.js';
export { type Prospect, prospectsOf, type Situation } from './core/prospects.js';
export { type ProcessStatus, statusSchema, type SupervisorStatus } from './status.js';
