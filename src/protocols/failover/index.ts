export { type Echo, ECHO_PATH, echoOf, echoSchema } from './echo.js';
export { type Health, type MonitorState, type Rules, type Verdict, type Watched } from './core/monitor.js';
export { detectionMs, recoveryMs, type Takeover, takeoverMs } from './core/takeover.js';
export { FailoverMonitor, type HealthChange, type MonitorPorts } from './shell/monitor.js';
export { type ActiveProcess, activeAmong, type EchoedAddress } from './core/active.js';
export {
  arrived,
  deadlineOf,
  decide,
  type Ending,
  type Holding,
  type HoldingEffect,
  type HoldingInput,
  type HoldingLimits,
} from './core/holding.js';
