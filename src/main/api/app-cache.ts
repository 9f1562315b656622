import type { AppConfig } from '../../config/index.js';
import { BOOKS_TABLE } from '../../modules/books/index.js';
import { FormerGenerations } from '../../platform/cache/index.js';
import { PREPARED_BODY_BYTES, type PreparedBody } from '../../platform/http/index.js';
import { systemTimers } from '../../platform/process/index.js';
import { SharedCache } from '../../platform/shared-cache/index.js';
import type { SqlDatabase } from '../../platform/sql/index.js';

/** Starts before this one that may have left entries in Redis. */
const MAX_FORMER_INCARNATIONS = 10;

/** The cache of reads in the process that writes: removes what writes and former starts leave in Redis. */
export class AppCache extends SharedCache<PreparedBody> {
  private former: FormerGenerations | undefined;

  constructor(
    { maxBytes }: AppConfig['cache'],
    private readonly database: SqlDatabase,
    ports: ConstructorParameters<typeof SharedCache>[2],
  ) {
    super(database.reader, { maxBytes, bytes: PREPARED_BODY_BYTES }, ports);
  }

  override share(): void {
    const { reader } = this.database;
    super.share((tier) => {
      const former = new FormerGenerations({
        ...{ tables: [BOOKS_TABLE], tier, source: reader, timers: systemTimers },
        formerIncarnations: this.database.formerIncarnations(MAX_FORMER_INCARNATIONS),
      });
      this.former?.close();
      this.former = former;
      reader.onCommit = () => {
        former.noticeCommit();
      };
    });
  }

  close(): void {
    this.former?.close();
  }
}
