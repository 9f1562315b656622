import type { AppConfig } from '../../config/index.js';
import type { Log } from '../../kernel/index.js';
import {
  CHECKOUT,
  checkoutAnswer,
  CheckoutLedger,
  CheckoutRepository,
  CheckoutRetention,
  CheckoutSagas,
  SagaService,
} from '../../modules/orders/index.js';
import type { Answer } from '../../platform/http/index.js';
import { nextTurn, systemClock, systemRandom, systemTimers } from '../../platform/process/index.js';
import { PeriodicWork, SagaPruning, SagaRelay, SqlSagaFile } from '../../protocols/saga/index.js';
import { compareSagas } from './compare-sagas.js';
import type { OpenedStores } from './open.js';

const DRAIN_EVERY_MS = 300_000;
const PRUNE_EVERY_MS = 10_000;

/** Runs work that two processes should not do at once. Nothing depends on that: a step that is done twice has one effect. */
export type DrainGuard = (drain: () => Promise<void>) => Promise<void>;

export interface Checkouts {
  readonly sagas: CheckoutSagas;
  readonly service: SagaService;
  readonly operations: CheckoutLedger<Answer>;
  /** Rejects with `recovery-needed`, having changed nothing, when one of the files is an older copy. */
  compare(): Promise<void>;
  /** Delivers what an earlier process has left, and drains the outboxes from time to time. No checkout may begin before it resolves. */
  open(): Promise<void>;
  /** Resolves when no step is under way. The next start goes on with the rest. */
  close(): Promise<void>;
}

export function checkOut(
  { checkoutTimeoutMs: timeoutMs, deliveryDelayMs }: AppConfig['checkouts'],
  { sqlFiles, crashSites, ahead }: Pick<OpenedStores, 'sqlFiles' | 'crashSites' | 'ahead'>,
  { log, guard }: { readonly log: Log; readonly guard: DrainGuard },
): Checkouts {
  const fileNames = new Map(
    sqlFiles.flatMap(({ name, served }) => served.flatMap(({ saga }) => (saga ? [[saga.name, name] as const] : []))),
  );
  const participants = sqlFiles.flatMap(({ served }) => served.flatMap(({ saga }) => saga ?? []));
  const ports = { clock: systemClock, random: systemRandom, timers: systemTimers, crashSites, log, deliveryDelayMs };
  const files = participants.map((participant) => new SqlSagaFile(ports, CHECKOUT, participant));
  const relay = new SagaRelay(ports, CHECKOUT, files);
  const file = files.find(({ participant }) => participant === CHECKOUT.start.by);
  const orders = participants.find(({ name }) => name === CHECKOUT.start.by);
  if (file === undefined || orders === undefined) throw new Error('no store begins checkouts');
  const checkouts = new CheckoutRepository(orders.database);
  const { writer } = orders.database;
  const sagas = new CheckoutSagas({ relay, file, writer, timeoutMs });
  const retention = new CheckoutRetention(orders.database, systemClock);
  const pruning = new SagaPruning(
    retention,
    file,
    files.filter((one) => one !== file),
  );
  const periodic = [
    new PeriodicWork(ports, 'the drain of the outboxes', DRAIN_EVERY_MS, () => guard(() => relay.drain())),
    new PeriodicWork(ports, 'the pruning of ended sagas', PRUNE_EVERY_MS, async () => {
      await pruning.run();
      await retention.sweep();
      await file.confirm(Math.min(...files.map(({ prunedBelow }) => prunedBelow)));
    }),
  ];
  return {
    sagas,
    service: new SagaService(checkouts, relay, CHECKOUT, nextTurn),
    operations: new CheckoutLedger(checkouts, sagas, checkoutAnswer),
    compare: () => compareSagas(files, (name) => fileNames.get(name) ?? name, nextTurn, ahead.sagas),
    open: async () => {
      await relay.start(({ number }) => checkouts.find(number)?.state === 'superseded');
      for (const each of periodic) each.start();
    },
    close: async () => {
      pruning.stop();
      const stopped = periodic.map((each) => each.stop());
      await relay.stop();
      await Promise.all(stopped);
    },
  };
}
