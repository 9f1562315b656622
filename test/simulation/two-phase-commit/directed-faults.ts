import type { Faults } from './faults.js';
import type { World } from './world.js';

type Schedule = (world: World, faults: Faults) => Promise<void>;

const STEP_MS = 5;
const PATIENCE_MS = 4_000;

/** Lets time pass until `condition` holds. False when it does not, which can happen by chance. */
async function until(world: World, condition: () => boolean): Promise<boolean> {
  const endMs = world.queue.nowMs + PATIENCE_MS;
  while (!condition()) {
    if (world.queue.nowMs > endMs) return false;
    await world.runUntil(world.queue.nowMs + STEP_MS);
  }
  return true;
}

const pass = (world: World, ms: number): Promise<void> => world.runUntil(world.queue.nowMs + ms);

const serves = (world: World): Promise<boolean> => until(world, () => world.app.isServing);

async function restart(world: World, faults: Faults): Promise<void> {
  await serves(world);
  faults.all['kill the app']!();
  await serves(world);
}

/** A database returns to an earlier incarnation after it has committed transactions unknown to the documents. */
const olderDatabase: Schedule = async (world, faults) => {
  await serves(world);
  await pass(world, world.random.below(500));
  faults.all['back up the database']!();
  // Otherwise the documents usually show that they are newer, and the app refuses to start.
  if (world.random.chance(0.8)) world.database.condition = 'full';
  for (let incarnations = world.random.below(3); incarnations >= 0; incarnations -= 1) await restart(world, faults);
  world.database.condition = 'well';
  world.ambush = { site: '2pc.commit.before', count: 1 };
  await until(world, () => !world.app.isServing);
  faults.all['put the database back in time']!();
  for (let incarnations = world.random.below(5); incarnations >= 0; incarnations -= 1) await restart(world, faults);
};

/** Commits take longer than every deadline, while recovery asks for their decisions. */
const lateCommits: Schedule = async (world) => {
  await serves(world);
  await pass(world, 100);
  world.database.slowChance = 0.5;
  await pass(world, 300 + world.random.below(1_000));
  world.database.slowChance = 0;
  if (world.random.chance(0.3)) world.appEnded(world.app, 'kill', 'kill');
  await pass(world, 1_000);
  // A late commit may still succeed when recovery could not write its row.
  if (world.random.chance(0.5)) world.database.condition = 'full';
  await pass(world, 2_500);
  world.database.condition = 'well';
  await pass(world, 1_000);
};

/** The app dies at one step of a transaction, and then repeatedly in its recovery. */
const dyingInRecovery: Schedule = async (world, faults) => {
  for (let round = 0; round < 3; round += 1) {
    await serves(world);
    await pass(world, 50 + world.random.below(200));
    for (let deaths = 1 + world.random.below(4); deaths > 0; deaths -= 1) {
      faults.all['kill the app, and again in its recovery']!();
      await pass(world, 600);
    }
    world.ambush = undefined;
  }
};

/** The journal accepts only decisions, and for a while not even those. */
const fullJournal: Schedule = async (world) => {
  await serves(world);
  for (let round = 0; round < 6; round += 1) {
    await pass(world, world.random.below(300));
    world.room = world.random.chance(0.6) ? 'reserve' : 'none';
    await pass(world, world.random.below(700));
    if (world.random.chance(0.3)) world.appEnded(world.app, 'power', 'power');
    if (world.random.chance(0.5)) world.room = 'plenty';
  }
};

/** A long time passes between two writes, so that rows may be forgotten. */
const longPause: Schedule = async (world, faults) => {
  for (let round = 0; round < 3; round += 1) {
    await serves(world);
    await pass(world, 300 + world.random.below(500));
    if (world.random.chance(0.8)) faults.all['snapshot of the documents']!();
    world.clockOffsetMs += 30 * 3_600_000;
    await pass(world, world.random.below(400));
    faults.all['kill the app']!();
  }
};

export const DIRECTED: readonly Schedule[] = [olderDatabase, lateCommits, dyingInRecovery, fullJournal, longPause];
