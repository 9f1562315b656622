import type { Disk, DiskFile } from '../../src/kernel/index.js';
import { NodeDisk } from '../../src/platform/disk/index.js';

/** A disk whose process dies in its `nth` call from now on: that and all later ones have no effect. `bury` closes its files. */
export function dyingAt(nth: number): { readonly disk: Disk; readonly calls: () => number; bury(): Promise<void> } {
  let calls = 0;
  const open: DiskFile[] = [];
  const guard = <T extends object>(target: T): T =>
    new Proxy(target, {
      get: (object, name) => {
        const member: unknown = Reflect.get(object, name);
        if (typeof member !== 'function') return member;
        return async (...args: unknown[]): Promise<unknown> => {
          calls += 1;
          if (calls >= nth) throw new Error('killed');
          const result: unknown = await Reflect.apply(member as (...args: unknown[]) => unknown, object, args);
          if (name !== 'open' && name !== 'create') return result;
          open.push(result as DiskFile);
          return guard(result as object);
        };
      },
    });
  const bury = async (): Promise<void> => {
    for (const file of open) await file.close();
  };
  return { disk: guard<Disk>(new NodeDisk()), calls: () => calls, bury };
}
