import { Gauge, type Registry } from 'prom-client';
import type { CheckoutSagas } from '../../modules/orders/index.js';

export function gaugeSagas(registry: Registry, sagas: Pick<CheckoutSagas, 'underWay' | 'parked'>): void {
  new Gauge({
    name: 'bifolio_sagas',
    help: 'Number of checkouts that have not ended: running, or parked until the next drain.',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      this.set({ state: 'running' }, sagas.underWay);
      this.set({ state: 'parked' }, sagas.parked);
    },
  });
}
