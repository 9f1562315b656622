import { afterAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { removeDirectory, temporaryDirectory } from '../support/app-process.js';
import type { Client } from './support/client.js';
import { useSharedApp } from './support/shared-app.js';
import { useSharedReplica } from './support/shared-replica.js';

const LINTER = resolve('node_modules/@redocly/cli/bin/cli.js');
/** It sends and asks nothing over the network. */
const QUIET = { REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };

const app = useSharedApp();
const replica = useSharedReplica();
const directory = temporaryDirectory();
afterAll(() => {
  removeDirectory(directory);
});

interface Complaint {
  readonly ruleId: string;
  readonly message: string;
}

/** What Redocly's recommended rules say against a document. */
async function complaintsAbout(document: string): Promise<readonly Complaint[]> {
  const file = join(directory, 'openapi.json');
  writeFileSync(file, document);
  const args = [LINTER, 'lint', file, '--extends', 'recommended', '--format', 'json', '--max-problems', '1000'];
  const linting = promisify(execFile)(process.execPath, args, { cwd: directory, env: { ...process.env, ...QUIET } });
  // With errors it exits with 1, and says on stdout which.
  const { stdout } = await linting.catch((error: unknown) => error as { readonly stdout: string });
  return (JSON.parse(stdout) as { readonly problems: readonly Complaint[] }).problems;
}

describe('the recommended rules of Redocly', () => {
  it.each([
    ['app', (): Client => app.client],
    ['replica', (): Client => replica.client],
  ] as const)('given the API document of the %s, find nothing', async (_name, client) => {
    const { text } = await client().get('/docs-json');
    expect(await complaintsAbout(text)).toEqual([]);
  });

  it('given a document with two operations of one id, report it', async () => {
    const { text } = await replica.client.get('/docs-json');
    const complaints = await complaintsAbout(text.replace('"listGroups"', '"readGroup"'));
    expect(complaints.map(({ ruleId }) => ruleId)).toContain('operation-operationId-unique');
  });
});
