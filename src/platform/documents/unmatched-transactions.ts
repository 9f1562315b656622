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
 * The transactions of which a history tells, and whose decision may have been in a database that is lost: a recovery
 * writes them down beside the documents, and whoever opens these must not decide them for himself.
 */
export class UnmatchedTransactions {
  private constructor(
    private readonly file: SnapshotFile<Unmatched>,
    private known: readonly string[],
  ) {}

  /** `directory`: of the documents. None when there is no file. Throws `data-corrupt` when it is not whole. */
  static async open(ports: UnmatchedPorts, directory: string): Promise<UnmatchedTransactions> {
    const file = new SnapshotFile(ports, join(directory, UNMATCHED_FILE), CODEC);
    return new UnmatchedTransactions(file, (await file.read())?.transactions ?? []);
  }

  get ids(): readonly string[] {
    return this.known;
  }

  /** These and no others from now on. Durable when it resolves. Rejects with `storage-full`, and all is as before. */
  async replace(ids: readonly string[]): Promise<void> {
    try {
      await this.file.write({ transactions: ids });
    } catch (error) {
      throw isDiskFull(error) ? storageFull(error) : error;
    }
    this.known = ids;
  }
}
