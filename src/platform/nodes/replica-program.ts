import { complaintIn } from './complaint.js';
import { type NodeFiles, programOf } from './file-layout.js';
import type { ChildProgram } from './launch.js';
import { healthProbe } from './readiness.js';

export interface ReplicaLaunch {
  /** Counts the replicas of this machine from 1. */
  readonly number: number;
  readonly port: number;
  /** For the readiness probe. */
  readonly apiKey: string | undefined;
  readonly environment: NodeJS.ProcessEnv;
}

/** The command of a replica of this machine, and how its start is watched. */
export function replicaProgram({ runFile, log }: NodeFiles, launch: ReplicaLaunch): ChildProgram {
  const { number, apiKey, environment } = launch;
  const port = String(launch.port);
  return {
    ...{ runFile, log, probe: healthProbe(runFile.path, apiKey) },
    program: process.execPath,
    args: [programOf('replica'), '--port', port],
    // Crash sites are in the app.
    environment: { ...environment, CRASH_SITE: '' },
    // The replica knows neither its number nor its setting.
    complaintIn: (output) =>
      complaintIn(output)?.replace(
        /^port-taken: .*/,
        `port-taken: port ${port}, for replica ${String(number)}, is in use by another program: stop that program, or set REPLICA_PORTS to free ports`,
      ),
  };
}
