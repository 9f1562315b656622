import { AppError, logPositionText, type ChainPosition, ACCEPT_LOSS } from '../../kernel/index.js';
import { type Testimony, type WitnessedEnd, witnessPath } from './end-witness.js';

/** The records that a journal lacks although they were, or may have been, durable. */
export interface MissingEnd {
  readonly found: ChainPosition;
  /** The former end of the journal; undefined when unknown. */
  readonly expected: ChainPosition | undefined;
  /** Names files and log positions, for a person. */
  readonly description: string;
}

/** The journal as recovery found it, before any change. */
export interface FoundEnd {
  readonly directory: string;
  readonly position: ChainPosition;
  /** The newest segment, undefined when there is none; `bytes` counts its good bytes. */
  readonly path: string | undefined;
  readonly bytes: number;
  /** The end was being witnessed when the newest segment was begun. */
  readonly isWitnessed: boolean;
  /** A snapshot covers records but no segment follows it, although one always should. */
  readonly lacksSegments: boolean;
}

/** Compares a journal with its witness. */
export class EndCheck {
  private readonly end: WitnessedEnd | undefined;
  private differs = false;

  constructor(private readonly testimony: Testimony) {
    this.end = typeof testimony === 'string' ? undefined : testimony;
  }

  /** Must be called with each position in the journal. */
  see({ seq, hash }: ChainPosition): void {
    if (seq === this.end?.seq && hash !== this.end.hash) this.differs = true;
  }

  /** Undefined when everything that the witness vouches for is there. */
  missingFrom(found: FoundEnd): MissingEnd | undefined {
    const { end } = this;
    const witness = witnessPath(found.directory);
    const where = `${found.path ?? found.directory} ends with record ${logPositionText(found.position)}`;
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
      const what = `record ${logPositionText(end)} differs from the record that ${witness} names: this is another history`;
      return lacking(end, `${found.path ?? found.directory}: ${what}`);
    }
    if (found.lacksSegments) {
      const what = `the segments after record ${String(found.position.seq)} of the snapshot are missing`;
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
  const wayOut = `put the missing files back, or accept the loss with ${ACCEPT_LOSS}`;
  return new AppError('recovery-needed', `${description}; nothing was changed: ${wayOut}`, { retry: 'never' });
}
