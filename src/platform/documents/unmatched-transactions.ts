import { join } from 'node:path';
import { type CrashSites, type Disk, type NextTurn, storageFull } from '../../kernel/index.js';
import { isDiskFull } from '../journal/index.js';
import { type FileCodec, SnapshotFile } from './snapshot-file.js';

const UNMATCHED_FILE = 'unmatched.json';

interface Unmatched {
  readonly transactions: readonly string[];
}

interface UnmatchedPorts {
  readonly disk: Disk;
  readonly nextTurn: NextTurn;
  readonly crashSites: CrashSites;
}

const CODEC: FileCodec<Unmatched> = {
  encode: (unmatched) => [JSON.stringify(unmatched).slice(0, -1)],
  decode: (body) => JSON.parse(`${body.toString('utf8')}}`) as Unmatched,
};

/**
 * Transactions whose decision may have been in a lost database. A recovery writes them down beside the documents, and the process
 * that opens the documents must not decide them.
 */
export class UnmatchedTransactions {
  private constructor(
    private readonly file: SnapshotFile<Unmatched>,
    private known: readonly string[],
  ) {}

  /** `directory` holds the documents. Without a file there are none. Throws `data-corrupt` when the file is not whole. */
  static async open(ports: UnmatchedPorts, directory: string): Promise<UnmatchedTransactions> {
    const file = new SnapshotFile(ports, join(directory, UNMATCHED_FILE), CODEC);
    return new UnmatchedTransactions(file, (await file.read())?.transactions ?? []);
  }

  get ids(): readonly string[] {
    return this.known;
  }

  /** Replaces all earlier ids. Durable when it resolves; on `storage-full` nothing changes. */
  async replace(ids: readonly string[]): Promise<void> {
    try {
      await this.file.write({ transactions: ids });
    } catch (error) {
      throw isDiskFull(error) ? storageFull(error) : error;
    }
    this.known = ids;
  }
}
