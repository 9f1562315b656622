import { AppError } from '../../../src/kernel/index.js';
import type { Decision, RecoveryReport } from '../../../src/protocols/two-phase-commit/index.js';
import { LastResourceDisk } from '../../support/memory-last-resource.js';
import { type ParticipantDisk } from '../../support/memory-participant.js';
import { FULL, TransactionWorld, UNKNOWN } from '../../support/transaction-world.js';
import { reported, sentenceOf } from './scenario-messages.js';

/** Participants a and b and the database sql around the real coordinator; each step may be the last of the process. */
export class ScenarioWorld {
  private readonly world = new TransactionWorld();
  private readonly copies = new Map<string, ParticipantDisk | LastResourceDisk>();
  private lines: string[] = [];
  private stop: () => void;

  constructor() {
    this.world.onDone = (line) => this.lines.push(sentenceOf(line));
    this.world.onCrash = () => this.lines.push('the process dies');
    this.stop = this.world.coordinator.keepRecovering();
  }

  /** Returns one line per event. */
  async run(command: string): Promise<readonly string[]> {
    this.lines = [];
    const [verb = '', ...words] = command.split(' ');
    const act = this.commands[verb];
    if (!act) throw new Error(`Unknown command ${verb}.`);
    await act(...words);
    await this.world.settled();
    return this.lines;
  }

  private readonly commands: Readonly<Record<string, (...words: string[]) => Promise<void> | void>> = {
    /** `begin x`: a transaction that takes the name x in all stores. The next is t2, and so on. */
    begin: (work = '') => {
      void this.world.answerTo(work).then((answer) => this.lines.push(`client of ${work}: ${answer}`));
    },
    /** `hold sql commit`: this step of every transaction waits until `release`. */
    hold: (who = '', step = '') => {
      this.world.hold(who, step);
    },
    release: (who = '', step = '') => {
      this.world.release(who, step);
    },
    /**
     * `fail sql veto full`: the step fails as `full`, `lost` (its answer is lost) or `unknown`, until `heal sql veto`.
     */
    fail: (who = '', step = '', how = '') => {
      this.world.fail(who, step, FAILURES[how] ?? new Error(how));
    },
    heal: (who = '', step = '') => {
      this.world.heal(who, step);
    },
    /** `die a prepared`: the process dies when it reaches this step, perhaps during its recovery. */
    die: (who = '', step = '') => {
      this.world.lastStep = `${who} ${step}`;
    },
    /** The process dies now. */
    kill: () => {
      this.world.crash();
    },
    /** Starts another process on the durable state, which recovers first. `start t1`: t1 is named as unmatched. */
    start: async (...unmatched) => {
      this.stop();
      this.world.start();
      this.report('recovery', this.world.coordinator.recoverAtStart(unmatched));
      this.stop = this.world.coordinator.keepRecovering();
    },
    recover: () => {
      this.report('recovery', this.world.coordinator.recoverNow());
    },
    /** Runs a recovery here and, at the same time, one in a process that does not know this one. */
    'recover-both': () => {
      this.report('first', this.world.coordinator.recoverNow());
      this.report('second', this.world.rival.recoverNow());
    },
    'recover-rival': () => {
      this.report('second', this.world.rival.recoverNow());
    },
    /** `resolve t1 aborted` */
    resolve: (id = '', decision = '') => {
      const resolved = this.world.coordinator.resolve(id, decision as Decision, { by: 'ops', reason: 'lost' });
      this.report(
        'operator',
        resolved.then(() => `${id} is ${decision}`),
      );
    },
    /** `pass 6000`: lets 6000 milliseconds pass; recovery sweeps meanwhile. */
    pass: (ms = '') => this.world.pass(Number(ms)),
    /** `copy sql`; later, while no process runs, `restore sql`. */
    copy: (who = '') => {
      this.copies.set(who, who === 'sql' ? this.world.sqlDisk.copy() : this.world.disks.get(who)!.copy());
    },
    restore: (who = '') => {
      const copy = this.copies.get(who);
      if (copy instanceof LastResourceDisk) this.world.sqlDisk = copy;
      else this.world.disks.set(who, copy!);
    },
    /** Replaces the database by an empty one with another id. */
    'lose-sql': () => {
      this.world.sqlDisk = new LastResourceDisk('sql-2');
    },
    show: () => {
      for (const [name, disk] of this.world.disks) {
        const inDoubt = [...disk.kept.values()].filter(({ state }) => state === 'prepared').map(({ head }) => head.id);
        this.lines.push(`${name}: ${disk.names.join(' ') || 'nothing'}; in doubt: ${inDoubt.join(' ') || 'nothing'}`);
      }
      const { names, rows } = this.world.sqlDisk;
      const shown = [...rows.values()].map(({ id, decision, by, completedAtMs }) => {
        return `${id} ${decision} by ${by}${completedAtMs === undefined ? ', incomplete' : ''}`;
      });
      this.lines.push(`sql: ${names.join(' ') || 'nothing'}; rows: ${shown.join('; ') || 'none'}`);
    },
  };

  private report(who: string, outcome: Promise<RecoveryReport | string>): void {
    void outcome.then(
      (result) => this.lines.push(`${who}: ${typeof result === 'string' ? result : reported(result)}`),
      (error: unknown) =>
        this.lines.push(
          `${who}: ${error instanceof AppError ? `${error.code}, ` : ''}${String((error as Error).message)}`,
        ),
    );
  }
}

const FAILURES: Readonly<Record<string, Error>> = {
  full: FULL,
  unknown: UNKNOWN,
  lost: new Error('the answer was lost'),
};
