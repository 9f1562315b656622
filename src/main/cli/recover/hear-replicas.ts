import {
  askAll,
  type Heard,
  type ReplicaAnswer,
  type ReplicaLink,
  type ReplicaReport,
} from '../../../protocols/replication/index.js';

/** The deadline of one answer. A promise takes an fsync. */
const ANSWER_WITHIN_MS = 5_000;
/** Each concurrent recovery may raise the promise once; the limit ends the contest. */
const MAX_ROUNDS = 5;

export interface Hearing {
  readonly heard: Heard;
  /** One line for each replica without a valid answer, sorted. */
  readonly silent: readonly string[];
}

export interface HearingPorts {
  readonly links: readonly ReplicaLink[];
  /** Whether a silent replica may answer yet, because its process is starting. */
  readonly isStarting: (name: string) => boolean;
  /** Waits between two rounds of questions. */
  readonly pause: () => Promise<void>;
}

/** Reads the log position of each replica. Read-only. */
export async function hearReports({ links, isStarting, pause }: HearingPorts): Promise<Hearing> {
  let reports: Readonly<Record<string, ReplicaReport>> = {};
  for (;;) {
    const unheard = links.filter(({ name }) => reports[name] === undefined);
    const { answers, silent } = await askAll(unheard, (link) => link.report(ANSWER_WITHIN_MS));
    reports = { ...reports, ...answers };
    if (!unheard.some(({ name }) => reports[name] === undefined && isStarting(name))) return { heard: reports, silent };
    await pause();
  }
}

/**
 * Returns the reports that came with a durable promise to follow nobody below a new epoch, the highest of all, and in that epoch
 * only `recovererId`. `before` are the earlier reports, without a promise.
 */
export async function hearPromises(
  links: readonly ReplicaLink[],
  before: Heard,
  recovererId: string,
): Promise<Hearing> {
  let known: Heard = before;
  for (let round = 1; ; round += 1) {
    const epoch =
      1 + Math.max(...Object.values(known).flatMap((report) => [report.promisedEpoch, report.position.epoch]));
    const { answers, silent } = await askAll(links, (link) =>
      link.promise({ epoch, primaryId: recovererId }, ANSWER_WITHIN_MS),
    );
    const refused = Object.entries(answers).filter(([, { verdict }]) => verdict !== 'accepted');
    if (refused.length === 0 || round === MAX_ROUNDS) {
      const refusals = refused.map(([name, { verdict }]) => `${name}: promised nothing (${verdict})`);
      return { heard: reportsIn(answers, 'accepted'), silent: [...silent, ...refusals].sort() };
    }
    known = { ...known, ...reportsIn(answers) };
  }
}

function reportsIn(answers: Readonly<Record<string, ReplicaAnswer>>, only?: ReplicaAnswer['verdict']): Heard {
  const wanted = Object.entries(answers).filter(([, { verdict }]) => only === undefined || verdict === only);
  return Object.fromEntries(wanted.map(([name, { report }]) => [name, report]));
}
