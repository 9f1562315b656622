import Table from 'cli-table3';
import type { ProcessStatus, SupervisorStatus } from '../../protocols/failover/index.js';

const SHOWN_FAILOVERS = 5;
const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** What the monitor knows: every process, the last failovers, and what a failure would do now. */
export function supervisorText(url: string, status: SupervisorStatus): string {
  const { supervisor, processes, failovers, aFailureNow } = status;
  const table = new Table({
    head: ['Process', 'Role', 'Health', 'pid', 'Age', 'Restarts', 'Last echo'],
    style: { head: [], border: [] },
  });
  for (const each of processes) {
    const { name, role, pid, ageMs, restarts, lastEchoMsAgo } = each;
    const numbers = [pid ?? '-', ageMs === null ? '-' : durationText(ageMs), restarts];
    const echo = lastEchoMsAgo === null ? '-' : `${durationText(lastEchoMsAgo)} ago`;
    table.push([name, role ?? '-', healthText(each), ...numbers.map(String), echo]);
  }
  const failing = aFailureNow.map(
    ({ failureOf, isMasked, outcome }) => `  ${failureOf}: ${isMasked ? '' : 'NOT MASKED: '}${outcome}`,
  );
  return [
    `Supervisor at ${url} (pid ${String(supervisor.pid)}).`,
    table.toString(),
    ...(failovers.length === 0 ? [] : ['Failovers:', ...failovers.slice(-SHOWN_FAILOVERS).map(failoverText)]),
    'If it failed now:',
    ...failing,
  ].join('\n');
}

function healthText({ health, reason, isFlapping, nextStartInMs }: ProcessStatus): string {
  const next = nextStartInMs === null ? [] : [`next start in ${durationText(nextStartInMs)}`];
  const details = [...(isFlapping ? ['flapping'] : []), ...(reason === null ? [] : [reason]), ...next];
  return details.length === 0 ? health : `${health}: ${details.join(', ')}`;
}

function failoverText({ at, of, by, cause, ...times }: SupervisorStatus['failovers'][number]): string {
  const noticed = `noticed ${durationText(times.detectionMs)} after its last echo`;
  if (by === null || times.takeoverMs === null) return `  ${at} ${of} ${cause}: ${noticed}; none serves yet`;
  const restored =
    times.recoveryMs === null ? 'no standby waits yet' : `a standby waited ${durationText(times.recoveryMs)} later`;
  return `  ${at} ${of} ${cause}: ${noticed}; ${by} served ${durationText(times.takeoverMs)} later; ${restored}`;
}

function durationText(ms: number): string {
  if (ms < SECOND_MS) return `${String(ms)} ms`;
  if (ms < MINUTE_MS) return `${(ms / SECOND_MS).toFixed(1)} s`;
  if (ms < HOUR_MS) return `${String(Math.floor(ms / MINUTE_MS))} min`;
  return `${(ms / HOUR_MS).toFixed(1)} h`;
}
