import { basename, dirname } from 'node:path';
import type { SeededRandom } from './seeded-random.js';
import { SimulatedFile } from './simulated-file.js';

/** One directory's names: as a program sees them and as the disk holds them. It keeps them when it is renamed. */
class SimulatedDirectory {
  visible = new Map<string, Entry>();
  readonly durable = new Map<string, Entry>();
}

type Entry = SimulatedFile | SimulatedDirectory;

interface NameChange {
  readonly directory: SimulatedDirectory;
  readonly name: string;
  /** Undefined: the name is gone. */
  readonly entry: Entry | undefined;
}

/** Names that change together: a rename is one step, also at a crash. */
type Change = readonly NameChange[];

/** Which name leads to which file or directory. */
export class SimulatedDirectories {
  private readonly root = new SimulatedDirectory();
  private readonly all = new Set([this.root]);
  private unsynchronised: Change[] = [];

  /** What is there, durably, from the start. */
  constructor(files: ReadonlyMap<string, SimulatedFile> = new Map()) {
    files.forEach((file, path) => {
      this.ensure(dirname(path));
      this.set(path, file);
      this.synchronize(dirname(path));
    });
  }

  /** All files by their paths. */
  get files(): ReadonlyMap<string, SimulatedFile> {
    const found = new Map<string, SimulatedFile>();
    const visit = (directory: SimulatedDirectory, path: string): void => {
      directory.visible.forEach((entry, name) => {
        if (entry instanceof SimulatedFile) found.set(`${path}/${name}`, entry);
        else visit(entry, `${path}/${name}`);
      });
    };
    visit(this.root, '');
    return found;
  }

  has(directory: string): boolean {
    return this.directory(directory) !== undefined;
  }

  file(path: string): SimulatedFile | undefined {
    const entry = this.entry(path);
    return entry instanceof SimulatedFile ? entry : undefined;
  }

  /** Sorted. */
  names(directory: string, kind: 'files' | 'directories'): string[] {
    return [...(this.directory(directory)?.visible ?? [])]
      .filter(([, entry]) => entry instanceof SimulatedFile === (kind === 'files'))
      .map(([name]) => name)
      .sort();
  }

  /** Makes it and its parents, durably: whatever else was to become durable in a parent has become so too. */
  ensure(directory: string): void {
    if (this.has(directory)) return;
    this.ensure(dirname(directory));
    const made = new SimulatedDirectory();
    this.all.add(made);
    this.change([this.naming(directory, made)]);
    this.synchronize(dirname(directory));
  }

  /** Undefined takes the name away. The directory of `path` must be there. */
  set(path: string, file: SimulatedFile | undefined): void {
    this.change([this.naming(path, file)]);
  }

  /** The error code of why not, undefined when it was done. */
  rename(from: string, to: string): 'ENOENT' | 'ENOTEMPTY' | undefined {
    const moved = this.entry(from);
    if (!moved || !this.has(dirname(to))) return 'ENOENT';
    if (moved instanceof SimulatedDirectory && this.entry(to)) return 'ENOTEMPTY';
    this.change([this.naming(from, undefined), this.naming(to, moved)]);
    return undefined;
  }

  synchronize(path: string): void {
    const directory = this.directory(path);
    const isInside = (change: Change): boolean => change.some((naming) => naming.directory === directory);
    this.unsynchronised.filter(isInside).forEach(makeDurable);
    this.unsynchronised = this.unsynchronised.filter((change) => !isInside(change));
  }

  losePower(random: SeededRandom): void {
    this.unsynchronised.forEach((change) => {
      if (random.chance(0.5)) makeDurable(change);
    });
    this.unsynchronised = [];
    this.all.forEach((directory) => {
      directory.visible = new Map(directory.durable);
    });
  }

  private change(change: Change): void {
    change.forEach(({ directory, name, entry }) => {
      setName(directory.visible, name, entry);
    });
    this.unsynchronised.push(change);
  }

  private naming(path: string, entry: Entry | undefined): NameChange {
    const directory = this.directory(dirname(path));
    if (!directory) throw new Error(`${path} is in no directory`);
    return { directory, name: basename(path), entry };
  }

  private directory(path: string): SimulatedDirectory | undefined {
    const entry = this.entry(path);
    return entry instanceof SimulatedDirectory ? entry : undefined;
  }

  private entry(path: string): Entry | undefined {
    let found: Entry | undefined = this.root;
    for (const name of path.split('/').filter((part) => part !== '')) {
      found = found instanceof SimulatedDirectory ? found.visible.get(name) : undefined;
    }
    return found;
  }
}

function makeDurable(change: Change): void {
  change.forEach(({ directory, name, entry }) => {
    setName(directory.durable, name, entry);
  });
}

function setName(names: Map<string, Entry>, name: string, entry: Entry | undefined): void {
  if (entry) names.set(name, entry);
  else names.delete(name);
}
