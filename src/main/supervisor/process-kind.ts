import type { AppConfig } from '../../config/index.js';
import type { ChildProgram, FileLayout, RunFile, RunNote } from '../../platform/nodes/index.js';
import type { RestartPolicy } from './managed-process-core.js';
import type { ChildRules } from './supervisor-core.js';

/** `isTrouble` messages go to standard error. */
export interface Message {
  readonly text: string;
  readonly isTrouble: boolean;
}

export interface ProcessKind extends ChildRules {
  /** Used in messages: "The <title> (pid 7)". */
  readonly title: string;
  /** A directory that other supervisors may use too; its processes belong to the supervisor that holds its lock. */
  sharedDirectory?(layout: FileLayout): string;
  /** It keeps nothing that it confirmed, because others have it. */
  readonly isCache?: boolean;
  /** People start it themselves. A stop ends it; a start leaves it running. */
  readonly isStartedByPeople?: boolean;
  /** Finds all processes of this kind that may run. Needs no settings, so a stop works while a setting is wrong. */
  runFiles(layout: FileLayout): readonly RunFile[];
  /** Finds them without their run files, which somebody may have deleted. */
  withoutRunFile?(layout: FileLayout): readonly RunNote[];
  /**
   * Called once per start, by the only supervisor of the directories. `print` shows what a person should know. The start may still
   * be refused, so this changes nothing that a running process reads.
   */
  processes(
    config: AppConfig,
    layout: FileLayout,
    print: (message: Message) => void,
  ): readonly ProcessDescription[] | Promise<readonly ProcessDescription[]>;
  /** Called when the start of `processes`, which are all of this kind, is certain, before the first of them starts. */
  announce?(processes: readonly ProcessDescription[], layout: FileLayout, print: (message: Message) => void): void;
}

/** How the monitor watches a process. */
export interface Watching {
  /** One of the processes of which one is active. */
  readonly isApp: boolean;
  /** How many times DEAD_AFTER_MS it may be silent. */
  readonly deadAfterTimes: number;
}

export interface ProcessDescription extends ChildProgram {
  /** Unique, used in messages. A name that ends in brackets identifies the process without its pid. */
  readonly name: string;
  /** The directory that the process locks while it runs. */
  readonly lockedDirectory?: string;
  /** Absent: the one of its kind. */
  readonly restart?: RestartPolicy;
  /** Its directory may be locked while it does not run: by another process of its kind. */
  readonly mayBeAbsent?: boolean;
  /** Absent: it does not echo, and is only restarted when it ends. */
  readonly watching?: Watching;
  /** One of these notes is the process's. Absent: the one of `runFile`. */
  readonly noteFiles?: readonly RunFile[];
  /** Called each time the process is ready. */
  readonly onReady?: () => void;
  /**
   * Called each second while the process runs: restores the files that others read. False when the process works in files that were
   * removed; then it is killed, and `prepare` makes them anew. Never throws.
   */
  readonly keepFiles?: () => boolean;
  /** Whether a process that an earlier supervisor left can go on under this one. */
  readonly isUsable?: () => Promise<boolean>;
  /** Its rows of the address table. `url` is undefined until it is ready; `state` is the URL, or why there is none. */
  rows(url: string | undefined, state: string): readonly (readonly [label: string, text: string])[];
}
