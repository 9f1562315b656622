import { describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { complaintIn, readFrom } from './complaint.js';

describe('the complaint of a process', () => {
  it.each([
    ['nothing', '', undefined],
    ['only log lines', '{"level":30,"msg":"ready"}\n{"level":30,"msg":"stopped"}\n', undefined],
    [
      'a refusal among log lines',
      '{"level":30}\nport-taken: port 5050 is taken\n{"level":40}\n',
      'port-taken: port 5050 is taken',
    ],
    ['a stack', 'TypeError: x is not a function\n    at main (api.mjs:1:1)\n', 'TypeError: x is not a function'],
    [
      'an uncaught error of Node',
      "node:internal/modules/run_main:123\n    throw;\n    ^\n\nError [ERR_MODULE_NOT_FOUND]: Cannot find module 'x'\n    at y {\n  code: 'ERR_MODULE_NOT_FOUND'\n}\n\nNode.js v20.20.0\n",
      "Error [ERR_MODULE_NOT_FOUND]: Cannot find module 'x'",
    ],
    ['a sentence without a name', 'Killed for no reason\n', 'Killed for no reason'],
    ['two refusals', 'not-ready: first\ndata-corrupt: second\n', 'data-corrupt: second'],
  ])('given %s, is the line that names it', (_what, output, complaint) => {
    expect(complaintIn(output)).toBe(complaint);
  });

  it('given a log that was moved away, is undefined', () => {
    expect(readFrom('/no/such/directory/app.log', 10)).toBe('');
  });

  it('given a log that was restarted meanwhile, is in its present content', () => {
    const path = join(mkdtempSync(join(tmpdir(), 'bifolio-complaint-')), 'app.log');
    writeFileSync(path, 'port-taken: 5050\n');
    expect(readFrom(path, 1_000)).toBe('port-taken: 5050\n');
    rmSync(dirname(path), { recursive: true });
  });
});
