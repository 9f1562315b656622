export { type Echo, ECHO_PATH, echoOf, echoSchema } from './echo.js';
export { type Health, type MonitorState, type Rules, type Verdict, type Watched } from './core/monitor.js';
export { detectionMs, recoveryMs, type Takeover, takeoverMs } from './core/takeover.js';
export { FailoverMonitor, type HealthChange, type MonitorPorts } from './shell/monitor.js';
