import { fileLayoutOf } from './file-layout.js';
import { NotedProcess } from './noted-process.js';

/**
 * Where the app and its standby may be: at `appAddresses`, each `host:port`, else where the run file of a living process says.
 * `nowMs` is a monotonic clock. Call the result each time; it is empty while no app runs on the directory.
 */
export function appUrlsOf(
  {
    appAddresses,
    dataDirectory,
  }: {
    readonly appAddresses: readonly string[];
    readonly dataDirectory: string;
  },
  nowMs: () => number,
): () => readonly string[] {
  if (appAddresses.length > 0) {
    const urls = appAddresses.map((address) => `http://${address}`);
    return () => urls;
  }
  const noted = new NotedProcess(fileLayoutOf({ dataDirectory, replicasDirectory: '' }).app.runFile.path, nowMs);
  return () => [noted.url() ?? []].flat();
}
