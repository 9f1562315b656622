import type { SharedCacheTier } from '../../src/platform/cache/index.js';

type Call = Exclude<keyof SharedCacheTier, 'name'>;

interface Fault {
  readonly call: Call;
  left: number;
  readonly takesEffect: boolean;
}

/** A real tier of which chosen calls reject: `new FailingCacheTier(tier).on('set')`. */
export class FailingCacheTier implements SharedCacheTier {
  readonly name: string;
  private readonly faults: Fault[] = [];

  constructor(private readonly tier: SharedCacheTier) {
    this.name = tier.name;
  }

  get isAvailable(): boolean {
    return this.tier.isAvailable;
  }

  /** The next calls of this name fail. With `takesEffect` the real call is made before, as when an answer is lost. */
  on(call: Call, { times = 1, takesEffect = false } = {}): void {
    this.faults.push({ call, left: times, takesEffect });
  }

  get: SharedCacheTier['get'] = (...args) => this.pass('get', () => this.tier.get(...args));
  claim: SharedCacheTier['claim'] = (...args) => this.pass('claim', () => this.tier.claim(...args));
  set: SharedCacheTier['set'] = (...args) => this.pass('set', () => this.tier.set(...args));
  release: SharedCacheTier['release'] = (...args) => this.pass('release', () => this.tier.release(...args));
  remove: SharedCacheTier['remove'] = (...args) => this.pass('remove', () => this.tier.remove(...args));
  removeBefore: SharedCacheTier['removeBefore'] = (...args) =>
    this.pass('removeBefore', () => this.tier.removeBefore(...args));

  private async pass<T>(call: Call, real: () => Promise<T>): Promise<T> {
    const fault = this.faults.find((planned) => planned.call === call && planned.left > 0);
    if (fault === undefined) return real();
    fault.left -= 1;
    if (fault.takesEffect) await real();
    throw new Error(`planned failure of ${call}`);
  }
}
