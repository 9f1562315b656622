import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CRASH_SITES } from '../../src/main/api/crash-sites.js';
import { CLUSTER_CRASH_SITES } from '../../src/protocols/cluster-client/index.js';
import { FOLLOWER_CRASH_SITES } from '../../src/platform/documents/index.js';

const SOURCE = fileURLToPath(new URL('../../src', import.meta.url));
const REACH = /\breach\(([^)]*)\)/g;
const NAME = /^'([a-z\d][a-z\d.-]*)'$/;

/** What every call of `reach` in src/ is given, as it is written there. */
function argumentsOfReach(): string[] {
  return readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.spec.ts'))
    .flatMap((path) => [...readFileSync(join(SOURCE, path), 'utf8').matchAll(REACH)])
    .map(([, argument = '']) => argument)
    .filter((argument) => argument !== 'site: string');
}

describe('the crash sites that fault tests sweep', () => {
  it('are named in the code as plain text, so that the registry can be compared with it', () => {
    expect(argumentsOfReach().filter((argument) => !NAME.test(argument))).toEqual([]);
  });

  it('are exactly those that the code reaches, each in one place', () => {
    const reached = argumentsOfReach().map((argument) => NAME.exec(argument)?.[1]);

    expect([...CRASH_SITES, ...FOLLOWER_CRASH_SITES, ...CLUSTER_CRASH_SITES].sort()).toEqual(reached.sort());
  });
});
