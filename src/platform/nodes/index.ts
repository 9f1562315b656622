export { complaintIn } from './complaint.js';
export { explainFailure } from './explain-failure.js';
export { getJson, type JsonAnswer } from './http-json.js';
export { type ChildExit, type ChildProgram, launchChild, type LaunchedChild, refusedLaunch } from './launch.js';
export {
  type NodeFiles,
  type FileLayout,
  fileLayoutOf,
  programOf,
  readerRunFile,
  readerRunFiles,
  replicaRunFiles,
  SUPERVISOR_LOCK,
} from './file-layout.js';
export { adoptChild } from './adopt.js';
export { appArguments } from './app-arguments.js';
export { appUrlsOf } from './app-urls.js';
export { type Presence, presenceOf } from './presence.js';
export { isAlive, processesWith, runStateOf, signalProcess } from './process-table.js';
export { logOptions } from './log-options.js';
export { healthProbe, type Readiness, type ReadinessProbe } from './readiness.js';
export { replicaProgram } from './replica-program.js';
export { keepRunFile, readRunFile, removeRunFile, type RunFile, type RunNote, writeRunFile } from './run-file.js';
export { runServer, type RunningServer, type ServerProgram, type Stage } from './run-server.js';
