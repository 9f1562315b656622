import type { LoggerOptions } from '../observability/index.js';
import { LOG_FILE_VARIABLE } from './launch.js';

interface LoggedProgram {
  readonly level: LoggerOptions['level'];
  readonly apiKeys: readonly { readonly key: string }[];
  readonly clusterSecret: string | undefined;
}

/** How a program of `runServer` logs: into the file of its supervisor, where it has one, and without its secrets. */
export function logOptions(
  environment: NodeJS.ProcessEnv,
  { level, apiKeys, clusterSecret = '' }: LoggedProgram,
): LoggerOptions {
  const secrets = [...apiKeys.map(({ key }) => key), clusterSecret].filter((secret) => secret !== '');
  return { level, file: environment[LOG_FILE_VARIABLE], secrets };
}
