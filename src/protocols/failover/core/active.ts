import type { Echo } from '../echo.js';

/** One incarnation of an app process that serves. */
export interface ActiveProcess {
  readonly url: string;
  readonly pid: number;
  readonly epoch: number;
}

export interface EchoedAddress {
  readonly url: string;
  /** Undefined while it does not echo. */
  readonly echo: Echo | undefined;
}

const WITHOUT_EPOCH = -1;

/**
 * The process that serves: the one with the highest epoch, because an older one that woke up may not know yet that it is no longer
 * active. `isRefused`: it has said that it does not serve this installation or not any more.
 */
export function activeAmong(
  addresses: readonly EchoedAddress[],
  isRefused: (process: ActiveProcess) => boolean = () => false,
): ActiveProcess | undefined {
  let found: ActiveProcess | undefined;
  for (const { url, echo } of addresses) {
    if (echo?.role !== 'active' || echo.state !== 'open') continue;
    const process = { url, pid: echo.pid, epoch: echo.epoch ?? WITHOUT_EPOCH };
    if (isRefused(process)) continue;
    if (found === undefined || process.epoch > found.epoch) found = process;
  }
  return found;
}
