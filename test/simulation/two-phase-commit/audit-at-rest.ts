import type { DocumentMachine } from '../../../src/platform/documents/document-machine.js';
import { stateHash } from '../../../src/platform/documents/state-hash.js';
import { COLLECTIONS } from './document-cluster.js';
import { USER_IDS } from './simulated-client.js';
import type { Story } from './story.js';
import type { World } from './world.js';

/** Describes an inconsistency of the resting world; undefined when there is none. */
export async function auditAtRest(world: World): Promise<string | undefined> {
  for (const story of world.audit.stories.values()) {
    const problem = answered(story) ?? allOrNone(story) ?? kept(story, world);
    if (problem !== undefined) return problem;
  }
  return countsOf(world) ?? (await copiesOf(world));
}

function answered({ id, answer: was, row, lost }: Story): string | undefined {
  if (was === 'done' && row !== 'committed' && !lost) return `P1: ${id} was confirmed and is ${row ?? 'nowhere'}`;
  return was === 'not done' && row === 'committed' ? `P7: ${id} was refused and is committed` : undefined;
}

function allOrNone(story: Story): string | undefined {
  const { id, participants, row, businessRows, needsOperator, lost } = story;
  if (needsOperator || lost) return undefined;
  if ((row === 'committed') !== (businessRows === 1)) return `P2: ${id} has ${businessRows} rows and is ${String(row)}`;
  for (const name of ['documents', 'ledger'] as const) {
    const isDue = participants.includes(name) && row === 'committed';
    if ((story[name] === 'committed') !== isDue) {
      return `P2: ${id} is ${row ?? 'not decided'} by its row and ${story[name] ?? 'not decided'} by the ${name}`;
    }
  }
  return undefined;
}

/** The tables contain exactly the rows that were written. */
function kept({ id, work, row, needsOperator, lost }: Story, { database }: World): string | undefined {
  if (needsOperator || lost) return undefined;
  const isThere = database[work.table].get(work.key) === id;
  if (isThere !== (row === 'committed'))
    return `P2: ${id} is ${row ?? 'not decided'}, and its row is ${isThere ? '' : 'not '}there`;
  const now = database.rows.get(id);
  if (now && now.decision !== row) return `P2: the row of ${id} turned from ${row ?? 'nothing'} to ${now.decision}`;
  return undefined;
}

/** Compares books with counters and users in both stores on every node, unless an operator had to decide. */
function countsOf({ app, audit, cluster, database }: World): string | undefined {
  if ([...audit.stories.values()].some(({ needsOperator, lost }) => needsOperator || lost)) return undefined;
  const copies = [...cluster.copies].map(([name, { machine }]) => ({ name, machine }));
  for (const { name, machine } of [{ name: 'the primary', machine: app.history!.machine }, ...copies]) {
    const { counter } = machine.collection('customers');
    if (counter !== database.books.size) return `P2: ${database.books.size} books, and ${name} counts ${counter}`;
    const users = machine.collection('users').documents;
    const alone = audit.writtenAlone;
    const missing = [...database.users.keys()].filter((id) => !users.has(id));
    if (missing.length > 0 || users.size !== database.users.size + alone) {
      return `P2: ${database.users.size} users, and ${name} has ${users.size}, without ${missing.join()}`;
    }
  }
  return undefined;
}

/** The primary's state follows from its records, and the state of every replica equals it. */
async function copiesOf({ app, audit, cluster }: World): Promise<string | undefined> {
  const { machine } = app.history!;
  const names = COLLECTIONS.map(({ name }) => name);
  const problem = audit.model.compare(machine, names);
  if (problem !== undefined) return `P2: ${problem}`;
  if (machine.transactions.allPrepared().length > 0) return 'P2: a transaction is still prepared';
  const reserved = USER_IDS.find((id) => machine.transactions.holderOf('users', id) !== undefined);
  if (reserved !== undefined) return `P2: ${reserved} is still reserved`;
  if (cluster.copies.size === 0) return undefined;
  const own = await hashOf(machine);
  for (const [name, copy] of cluster.copies) {
    if ((await hashOf(copy.machine)) !== own) return `P3: ${name} holds other documents than the primary`;
  }
  return undefined;
}

function hashOf(machine: DocumentMachine): Promise<string> {
  return stateHash(machine.capture(), (task) => {
    task();
  });
}
