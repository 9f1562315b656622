/**
 * Runs one of the programs in dist/bundle/ with the arguments behind its name, on the settings of the project and from
 * wherever it is called; makes a fresh clone runnable first. Plain Node: it runs before anything is installed.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureBuild, ensureDependencies, ensureNode, ProvisionError, ROOT } from './provision.mjs';

try {
  process.chdir(ROOT);
  await ensureNode();
  ensureDependencies();
  ensureBuild();
  const [node, , name, ...args] = process.argv;
  const bundle = name === 'app' ? (args.includes('--reader') ? 'reader' : 'api') : name;
  const program = join(ROOT, 'dist/bundle', `${bundle}.mjs`);
  process.argv = [node, program, ...args];
  await import(pathToFileURL(program).href);
} catch (error) {
  console.error(error instanceof ProvisionError ? error.message : error);
  process.exitCode = 1;
}
