import type { AppError } from '../../../src/kernel/index.js';
import type { Applied, DocumentMachine } from '../../../src/platform/documents/document-machine.js';
import type { DocumentOp } from '../../../src/platform/documents/index.js';
import type { JournalRecord } from '../../../src/platform/journal/index.js';
import type {
  Decision,
  DecisionRow,
  ParticipantDecision,
  ParticipantMessage,
  Acknowledgement,
  TransactionId,
  TransactionOutcome,
} from '../../../src/protocols/two-phase-commit/index.js';
import type { Coverage } from './coverage.js';
import { DocumentModel } from './document-model.js';
import type { DatabaseFile, DatabaseWatcher, SqlWork } from './simulated-database.js';
import type { LedgerWatcher } from './simulated-ledger.js';
import { beginStory, type Request, type Story } from './story.js';

/** Access to the disks. */
export interface Disks {
  /** Names a store without a durable promise; undefined when there is none. */
  lackOf(story: Story): string | undefined;
}

/**
 * Watches the disks over the whole run, across all crashes: each transaction is in all stores or in none, has one decision,
 * and never contradicts the client’s answer. The audit does not ask the protocol.
 */
export class Audit implements DatabaseWatcher, LedgerWatcher {
  /** The first broken promise. */
  violation: string | undefined;
  readonly stories = new Map<TransactionId, Story>();
  readonly model = new DocumentModel();
  /** Users that were created only in the documents. */
  writtenAlone = 0;
  private seenSeq = 0;

  constructor(
    private readonly disks: Disks,
    private readonly met: Coverage,
  ) {}

  violate(what: string): void {
    this.violation ??= what;
  }

  begin(id: TransactionId, request: Request): void {
    this.stories.set(id, beginStory(id, request));
  }

  rowWritten({ id, decision, by }: DecisionRow): void {
    this.met.note(`row: ${decision} by ${by}`);
    const story = this.storyOf(id);
    if (story.row !== undefined && story.row !== decision) this.violate(`P2: the row of ${id} turned to ${decision}`);
    story.row = decision;
    if (by === 'recovery' && story.needsOperator)
      this.violate(`P2: ${id} is left to an operator, but is presumed aborted`);
    if (decision === 'aborted') return;
    if (by === 'operator') {
      if (!story.needsOperator) this.violate(`P2: an operator committed ${id}, which this database had to decide`);
      return;
    }
    if (by === 'recovery') this.violate(`P2: recovery committed ${id}`);
    if (story.documents === 'aborted' || story.ledger === 'aborted') this.violate(`P2: ${id} commits after its abort`);
    if (story.answer === 'not done') this.violate(`P7: ${id} was refused and commits`);
    const lack = this.disks.lackOf(story);
    if (lack !== undefined) this.violate(`P2: ${id} commits without a promise: ${lack}`);
  }

  businessRowWritten(_work: SqlWork, id: TransactionId): void {
    const story = this.storyOf(id);
    story.businessRows += 1;
    if (story.businessRows > 1) this.violate(`P4: ${id} has written its row twice`);
  }

  landedLate(): void {
    this.met.note('row: after the death of its process');
  }

  rowForgotten(id: TransactionId): void {
    const { participants, documents, ledger, row } = this.storyOf(id);
    const open = participants.filter((name) => (name === 'documents' ? documents : ledger) !== row);
    this.met.note('row: forgotten');
    if (open.length > 0 && row === 'committed')
      this.violate(`the row of ${id} was removed before ${open.join()} had carried it out`);
  }

  /** Called once per record when it is durable, and again when a start reads it. */
  documentApplied(record: JournalRecord<DocumentOp>, result: Applied, machine: DocumentMachine): void {
    if (record.seq <= this.seenSeq) return;
    this.seenSeq = record.seq;
    const problem = this.model.take(record.op);
    if (problem !== undefined) this.violate(`P2: ${problem}`);
    if (record.op.type === 'put' && record.op.collection === 'users') this.writtenAlone += 1;
    if (record.op.type === 'prepare') this.storyOf(record.op.transaction).promisedSeq = record.seq;
    if (result && 'decision' in result) this.documentsDecided(result.transaction, result.decision, record.seq);
    const { counter } = machine.collection('customers');
    const raised = this.model.raisedOf('customers');
    if (counter !== raised) this.violate(`P2: the counter is ${counter} behind ${raised} commits, at ${record.seq}`);
  }

  ledgerTook(id: TransactionId, message: ParticipantMessage, { answer }: ParticipantDecision): void {
    if (answer === 'contradiction')
      this.violate(`P2: the ledger receives ${message} of ${id} after the opposite decision`);
    if (message === 'prepare' && this.storyOf(id).ledger === 'aborted') this.met.note('ledger: a late prepare');
  }

  ledgerPromised(id: TransactionId): void {
    const { ledger } = this.storyOf(id);
    if (ledger !== undefined) this.violate(`P2: the ledger promises ${id}, which it has ${ledger}`);
  }

  ledgerDecided(id: TransactionId, decision: Decision): void {
    const story = this.storyOf(id);
    if (story.ledger !== undefined) this.violate(`P2: the ledger decided ${id} twice`);
    story.ledger = decision;
    this.compareWithRow('ledger', story, decision);
  }

  /** The answer to the client that began the transaction. */
  answered(id: TransactionId, outcome: TransactionOutcome<string>): void {
    const story = this.storyOf(id);
    if (outcome.state === 'running') return;
    if (story.row !== 'committed') this.violate(`P1: ${id} was confirmed without its row`);
    if (outcome.state === 'pending') return;
    story.answer = 'done';
    for (const name of story.participants) {
      const decision = name === 'documents' ? story.documents : story.ledger;
      if (decision !== 'committed') this.violate(`P1: ${id} was confirmed before ${name} had it`);
    }
    this.compareCount(story, outcome.acknowledgements['documents']);
  }

  /** The client received the answer that nothing was written. */
  refused(id: TransactionId, { code }: AppError): void {
    const story = this.storyOf(id);
    story.answer = 'not done';
    const { row, documents, ledger } = story;
    if ([row, documents, ledger].includes('committed'))
      this.violate(`P7: ${id} is committed and was refused (${code})`);
  }

  storyOf(id: TransactionId): Story {
    const story = this.stories.get(id);
    if (!story) throw new Error(`no client began ${id}`);
    return story;
  }

  /** The older copy undoes all that it lacks. */
  databasePutBack(now: DatabaseFile, copy: DatabaseFile): void {
    for (const story of this.stories.values()) {
      const { id, row, businessRows, incarnation } = story;
      if (row !== undefined && now.rows.has(id) && !copy.rows.has(id)) {
        story.lost = { row, businessRows };
        Object.assign(story, { row: undefined, businessRows: 0 });
      }
      story.needsOperator = story.row === undefined && !copy.incarnations.has(incarnation);
    }
  }

  /** The newest copy is back. */
  databaseRestored(): void {
    for (const story of this.stories.values()) {
      Object.assign(story, { ...story.lost, lost: undefined, needsOperator: false });
    }
  }

  private documentsDecided(id: TransactionId, decision: Decision, seq: number): void {
    const story = this.storyOf(id);
    if (story.documents !== undefined) this.violate(`P2: the documents decided ${id} twice`);
    story.documents = decision;
    story.decidedSeq = seq;
    if (decision === 'committed') story.customers = this.model.sizeOf('customers');
    this.compareWithRow('documents', story, decision);
  }

  /** No store commits before its row, and no store aborts a committed transaction. */
  private compareWithRow(name: string, { id, row, lost }: Story, decision: Decision): void {
    const mayCommit = row === 'committed' || lost?.row === 'committed';
    const isRight = decision === 'committed' ? mayCommit : row !== 'committed';
    if (!isRight) this.violate(`P2: ${id} is ${decision} in the ${name}, and its row says ${row ?? 'nothing'}`);
  }

  private compareCount(story: Story, acknowledgement: Acknowledgement | undefined): void {
    if (story.work.table !== 'books') return;
    const acknowledged = countIn(acknowledgement);
    if (acknowledged !== story.customers) {
      this.violate(
        `P2: ${story.id} reached ${String(story.customers)} customers and acknowledged ${String(acknowledged)}`,
      );
    }
  }
}

function countIn(acknowledgement: Acknowledgement | undefined): unknown {
  const bumped = acknowledgement?.outcome?.['bumped'];
  return typeof bumped === 'object' && bumped !== null && 'customers' in bumped ? bumped.customers : undefined;
}
