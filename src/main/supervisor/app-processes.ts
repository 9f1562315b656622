import {
  complaintIn,
  type FileLayout,
  healthProbe,
  type NodeFiles,
  programOf,
  type ReadinessProbe,
  readRunFile,
} from '../../platform/nodes/index.js';
import { ESSENTIAL, type RestartPolicy, SPARE } from './managed-process-core.js';
import type { ProcessDescription, ProcessKind } from './process-kind.js';

export const APP = 'The app';
const GATEWAY = 'The gateway';

/**
 * One of two apps, of which the other one goes on. A dead one comes back as the standby: after the takeover, which should have the machine
 * for itself, and for ever, because without it the next death has no standby.
 */
const ONE_OF_TWO: RestartPolicy = {
  ...ESSENTIAL,
  firstRetryAfterMs: 1_000,
  maxFailedStartRetryAfterMs: 60_000,
  maxFailedStarts: Infinity,
};

type Row = readonly [label: string, text: string];

const rowsOfActive = (url = ''): readonly Row[] => [
  ['API', url],
  ['Swagger UI', `${url}/docs`],
  ['OpenAPI', `${url}/docs-json`],
  ['Health', `${url}/health/ready`],
  ['Metrics', `${url}/metrics`],
];

/** One app, or two with one command: the one that gets the lock of the data directory is active, the other one waits for it. */
export const APP_KIND: ProcessKind = {
  title: 'app',
  restart: ESSENTIAL,
  stopRank: 1,
  // A standby whose active app is stopped first takes over.
  runFiles: ({ app, standby }) => [standby.runFile, app.runFile],
  processes: ({ http, standby }, layout) => {
    const apiKey = http.apiKeys[0]?.key;
    const { directory, runFile, log } = layout.app;
    const shared = {
      ...{ lockedDirectory: directory, environment: process.env, program: process.execPath, complaintIn },
      watching: { isApp: true, deadAfterTimes: 1 },
    };
    if (standby.port === undefined) {
      const probe = healthProbe(runFile.path, apiKey);
      return [{ ...shared, name: APP, runFile, log, probe, args: [programOf('api')], rows: rowsOfActive }];
    }
    return [
      { ...oneOfTwo('App A', layout, layout.app, apiKey), ...shared },
      { ...oneOfTwo('App B', layout, layout.standby, apiKey), ...shared, mayBeAbsent: true },
    ];
  },
};

/** `files`: its log, and the note by which a process that runs already is taken for this one. */
function oneOfTwo(
  name: string,
  { app, standby }: FileLayout,
  { runFile, log }: NodeFiles,
  apiKey: string | undefined,
): Pick<ProcessDescription, 'name' | 'log' | 'runFile' | 'noteFiles' | 'restart' | 'args' | 'probe' | 'rows'> {
  const isActive = (url: string | undefined): boolean => readRunFile(app.runFile.path)?.url === url;
  return {
    ...{ name, log, runFile, noteFiles: [app.runFile, standby.runFile], restart: ONE_OF_TWO },
    args: [programOf('api'), '--standby'],
    probe: firstNoted([app.runFile.path, standby.runFile.path], apiKey),
    rows: (url, state) => {
      if (url !== undefined && isActive(url)) return rowsOfActive(url);
      return [['Standby', `${state} (${name}, log ${log})`]];
    },
  };
}

/** A standby is ready when it waits and is prepared; it notes itself elsewhere once it is active. */
function firstNoted(runFiles: readonly string[], apiKey: string | undefined): ReadinessProbe {
  return async (pid) => {
    const runFile = runFiles.find((path) => readRunFile(path)?.pid === pid);
    return runFile === undefined ? { state: 'silent' } : healthProbe(runFile, apiKey)(pid);
  };
}

export const GATEWAY_KIND: ProcessKind = {
  title: 'gateway',
  restart: SPARE,
  // It answers what it holds while the app still runs.
  stopRank: 0,
  runFiles: ({ gateway }) => [gateway.runFile],
  processes: ({ http, gateway }, layout) => {
    if (gateway.port === undefined) return [];
    const { runFile, log } = layout.gateway;
    return [
      {
        ...{ name: GATEWAY, runFile, log, environment: { ...process.env, CRASH_SITE: '' }, program: process.execPath },
        args: [programOf('gateway'), '--port', String(gateway.port)],
        probe: healthProbe(runFile.path, http.apiKeys[0]?.key),
        complaintIn: (output) =>
          complaintIn(output)?.replace(/^(port-taken: .*) is in use/, '$1, for the gateway, is in use'),
        watching: { isApp: false, deadAfterTimes: 1 },
        rows: (_url, state) => [['Gateway', state]],
      },
    ];
  },
};
