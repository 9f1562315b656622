import { connect } from 'node:net';
import { join } from 'node:path';
import { runCommandLine } from '../../../src/main/supervisor/command-line.js';
import { SPARE } from '../../../src/main/supervisor/managed-process-core.js';
import { PROCESS_KINDS } from '../../../src/main/supervisor/managed-processes.js';
import type { ProcessKind } from '../../../src/main/supervisor/process-kind.js';
import type { FileLayout, ReadinessProbe, RunFile } from '../../../src/platform/nodes/index.js';

/** A process that is no Node program: it notes nothing, locks nothing and speaks no HTTP. */
const SCRIPT = `
echo "listening on $1"
exec python3 -u -c '
import os, signal, socket, sys

def stop(*_):
    with open(os.environ["DATA_DIR"] + "/history", "a") as history:
        history.write("script stops\\n")
    sys.exit(0)

signal.signal(signal.SIGTERM, stop)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    server.accept()[0].close()
' "$1" listening-script
`;

const port = Number(process.env['SCRIPT_PORT']);

const answersTcp: ReadinessProbe = () =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve({ state: 'ready', url: `tcp://127.0.0.1:${String(port)}` });
    });
    socket.on('error', () => {
      resolve({ state: 'silent' });
    });
  });

function runFileIn({ dataDirectory }: FileLayout): RunFile {
  const url = `tcp://127.0.0.1:${String(port)}`;
  return { path: join(dataDirectory, 'script.json'), program: /listening-script/, url };
}

const LISTENING_SCRIPT: ProcessKind = {
  title: 'script',
  restart: SPARE,
  stopRank: 3,
  runFiles: (layout) => [runFileIn(layout)],
  processes: (_config, layout) => [
    {
      name: 'The script',
      program: 'sh',
      args: ['-c', SCRIPT, 'sh', String(port)],
      environment: process.env,
      log: join(layout.dataDirectory, 'logs/script.log'),
      probe: answersTcp,
      runFile: runFileIn(layout),
      complaintIn: (output) => /^.*Error: .*$/m.exec(output)?.[0],
      rows: (_url, state) => [['Script', state]],
    },
  ],
};

runCommandLine(process.argv.slice(2), [...PROCESS_KINDS, LISTENING_SCRIPT]);
