import { runCommandLine } from './command-line.js';
import { PROCESS_KINDS } from './managed-processes.js';

runCommandLine(process.argv.slice(2), PROCESS_KINDS);
