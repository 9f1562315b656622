import { dirname } from 'node:path';
import type { SeededRandom } from './seeded-random.js';
import type { SimulatedFile } from './simulated-file.js';

/** Names that change together: a rename is one step, also at a crash. Undefined: the name is gone. */
type Change = readonly (readonly [path: string, file: SimulatedFile | undefined])[];

/** Which name leads to which file: as a program sees it and as the disk holds it. */
export class SimulatedDirectories {
  private readonly known = new Set<string>();
  private visible: Map<string, SimulatedFile>;
  private unsynchronised: Change[] = [];

  constructor(private durable = new Map<string, SimulatedFile>()) {
    this.visible = new Map(durable);
    durable.forEach((_, path) => {
      this.ensure(dirname(path));
    });
  }

  get files(): ReadonlyMap<string, SimulatedFile> {
    return this.visible;
  }

  has(directory: string): boolean {
    return this.known.has(directory);
  }

  ensure(directory: string): void {
    this.known.add(directory);
    if (dirname(directory) !== directory) this.ensure(dirname(directory));
  }

  change(change: Change): void {
    apply(this.visible, change);
    this.unsynchronised.push(change);
  }

  synchronize(directory: string): void {
    const isInside = (change: Change): boolean => change.some(([path]) => dirname(path) === directory);
    this.unsynchronised.filter(isInside).forEach((change) => {
      apply(this.durable, change);
    });
    this.unsynchronised = this.unsynchronised.filter((change) => !isInside(change));
  }

  losePower(random: SeededRandom): void {
    this.unsynchronised.forEach((change) => {
      if (random.chance(0.5)) apply(this.durable, change);
    });
    this.unsynchronised = [];
    this.visible = new Map(this.durable);
  }
}

function apply(names: Map<string, SimulatedFile>, change: Change): void {
  change.forEach(([path, file]) => {
    if (file) names.set(path, file);
    else names.delete(path);
  });
}
