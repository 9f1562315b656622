import type { NextTurn } from '../../kernel/index.js';
import { type CopyableHistory, type DocumentStore, stateHash } from '../../platform/documents/index.js';
import { ACCEPT_LOSS } from '../../platform/journal/index.js';
import type { PrimaryHistory } from '../../protocols/replication/index.js';

type Records = Parameters<PrimaryHistory['adopt']>[0];

/** The app's documents as the history that replication ships. */
export class DocumentPrimaryHistory implements PrimaryHistory {
  private readonly history: CopyableHistory;

  constructor(
    private readonly documents: DocumentStore,
    private readonly nextTurn: NextTurn,
    /** Of a history that has none yet. */
    private readonly newClusterId?: string,
  ) {
    this.history = documents.history;
  }

  get position(): PrimaryHistory['position'] {
    return this.history.position;
  }

  get clusterId(): string | undefined {
    return this.history.clusterId;
  }

  get missing(): string | undefined {
    const { missing } = this.documents;
    // Where only that is unknown, a quorum of replicas knows it.
    return missing?.expected && `${missing.description}: put it back, or accept the loss with ${ACCEPT_LOSS}`;
  }

  get firstSeq(): number {
    return this.history.firstSeq;
  }

  onDurable(listener: (records: Records) => void): void {
    this.documents.onDurable(listener);
  }

  readAfter(seq: number, maxBytes: number): ReturnType<PrimaryHistory['readAfter']> {
    return this.history.readFrom(seq + 1, maxBytes);
  }

  async positionAt(seq: number): ReturnType<PrimaryHistory['positionAt']> {
    return (await this.history.positionAt(seq)) ?? 'gone';
  }

  async snapshot(): ReturnType<PrimaryHistory['snapshot']> {
    const opened = await this.history.openSnapshot();
    if (opened === undefined) return undefined;
    return { position: opened.position, size: opened.sizeBytes, chunks: opened.chunks, close: () => opened.close() };
  }

  adopt(records: Records): Promise<void> {
    return this.documents.follow(records);
  }

  startEpoch(epoch: number, primaryId: string): ReturnType<PrimaryHistory['startEpoch']> {
    const { newClusterId: clusterId } = this;
    return this.documents.startEpoch({ epoch, primaryId, ...(clusterId !== undefined && { clusterId }) });
  }

  stateHash(): Promise<string> {
    return stateHash(this.history.captureState(), this.nextTurn);
  }
}
