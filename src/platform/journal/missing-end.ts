import { AppError, logPositionText, type ChainPosition, ACCEPT_LOSS } from '../../kernel/index.js';
import { type Testimony, type WitnessedEnd, witnessPath } from './end-witness.js';

/** What a journal that was found does not have, though it was durable in it, or may have been. */
export interface MissingEnd {
  readonly found: ChainPosition;
  /** Where the journal ended once; undefined when that is not known. */
  readonly expected: ChainPosition | undefined;
  /** Names files and places, for a person. */
  readonly description: string;
}

/** How a recovery has found a journal, before anything is changed. */
export interface FoundEnd {
  readonly directory: string;
  readonly position: ChainPosition;
  /** The newest segment, undefined when there is none, and how many bytes of it are good. */
  readonly path: string | undefined;
  readonly bytes: number;
  /** The newest segment was begun when the end was being witnessed. */
  readonly isWitnessed: boolean;
  /** A snapshot covers records, and no segment follows it, though one always does. */
  readonly lacksSegments: boolean;
}

/** Compares what a journal holds with what its witness says. */
export class EndCheck {
  private readonly end: WitnessedEnd | undefined;
  private differs = false;

  constructor(private readonly testimony: Testimony) {
    this.end = typeof testimony === 'string' ? undefined : testimony;
  }

  /** This position is one of the journal. */
  see({ seq, hash }: ChainPosition): void {
    if (seq === this.end?.seq && hash !== this.end.hash) this.differs = true;
  }

  /** Undefined: everything that the witness vouches for is there. */
  missingFrom(found: FoundEnd): MissingEnd | undefined {
    const { end } = this;
    const witness = witnessPath(found.directory);
    const place = logPositionText(found.position);
    const where = `${found.path ?? found.directory} ends with record ${place}`;
    const lacking = (expected: ChainPosition | undefined, description: string): MissingEnd => ({
      found: found.position,
      expected: expected && { epoch: expected.epoch, seq: expected.seq, hash: expected.hash },
      description,
    });
    if (end && end.seq > found.position.seq) {
      const known = `${logPositionText(end)} (byte ${String(end.bytes)} of ${end.segment}), as ${witness} says`;
      return lacking(end, `${where} (byte ${String(found.bytes)}), and it went on to record ${known}`);
    }
    if (end && this.differs) {
      const what = `record ${logPositionText(end)} is not the one that ${witness} vouches for: this is another history`;
      return lacking(end, `${found.path ?? found.directory}: ${what}`);
    }
    if (found.lacksSegments) {
      const what = `the segments behind record ${String(found.position.seq)} of the snapshot are missing`;
      return lacking(undefined, `${found.directory}: ${what}`);
    }
    if (this.testimony === 'unreadable') {
      return lacking(undefined, `${where}, and ${witness}, which knows whether more was there, cannot be read`);
    }
    if (this.testimony === 'none' && found.isWitnessed) {
      return lacking(undefined, `${where}, and ${witness}, which knows whether more was there, is missing`);
    }
    return undefined;
  }
}

export function endIsMissing({ description }: MissingEnd): AppError {
  const wayOut = `put back what is missing, or accept the loss with ${ACCEPT_LOSS}`;
  return new AppError('recovery-needed', `${description}; nothing was changed: ${wayOut}`, { retry: 'never' });
}
