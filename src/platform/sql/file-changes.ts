import { type Stats, statSync } from 'node:fs';
import { logBytesOf } from './bookstore-file.js';
import type { CommitPosition } from './commit-witness.js';
import { positionIn, whatIsMissing } from './look-before-opening.js';
import type { SqlHandle } from './sql-handle.js';

/**
 * Tells a checkpoint of a database file from a copy that was written over the file, which keeps device and inode. SQLite does not
 * notice such a copy: it goes on with its pages in memory and with the index of the log.
 *
 * Only a checkpoint of the owner may change the file. A checkpoint follows a commit, and empties the log when the owner stops. Both
 * move SQLite's `data_version`. So a change is a copy when nothing owns the file and `data_version` did not move. When it did, the
 * owner has just stopped or died, and the file must hold the commits that were seen in it before.
 */
export class FileChanges {
  private stats: Stats | undefined;
  private dataVersion: unknown;
  private position: CommitPosition | undefined;

  /** `isOwned`: whether a process that may write holds the file. Called only after a change, so it may be slow. */
  constructor(
    private readonly handle: SqlHandle,
    private readonly file: string,
    private readonly isOwned: () => boolean,
  ) {
    this.dataVersion = this.readDataVersion();
    this.position = positionIn(handle);
    this.stats = this.readStats();
  }

  /** Whether a copy was written over the file since the last call. `stats` are of now. */
  isOverwritten(stats: Stats): boolean {
    if (stats.mtimeMs === this.stats?.mtimeMs && stats.size === this.stats.size) return false;
    this.stats = stats;
    if (logBytesOf(this.file) > 0 && this.isOwned()) return false;
    // From here on no checkpoint is under way.
    this.stats = this.readStats();
    const dataVersion = this.readDataVersion();
    if (dataVersion === this.dataVersion) return true;
    this.dataVersion = dataVersion;
    return this.position !== undefined && whatIsMissing(this.handle, this.position) !== undefined;
  }

  /** Notes the commits of now, unless `look`, which calls `isOverwritten`, finds a change: a checkpoint may come after its commits. */
  noteCommits(look: () => void, position = this.position): void {
    const { stats } = this;
    const dataVersion = this.readDataVersion();
    look();
    if (this.stats !== stats) return;
    this.dataVersion = dataVersion;
    this.position = position;
  }

  private readDataVersion(): unknown {
    return this.handle.pragma('data_version', { simple: true });
  }

  private readStats(): Stats | undefined {
    return statSync(this.file, { throwIfNoEntry: false });
  }
}
