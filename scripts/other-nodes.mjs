/** The Nodes beside the running one that Bifolio is tried on: `npm run test:nodes`. They come from the npm registry. */
import { NODE_PACKAGES, nodeFromRegistry } from './provision-node.mjs';
import { ProvisionError } from './provision-error.mjs';

/** The paths of the unit specs that run on each. */
export const UNIT_SPECS_ON = {
  // The oldest with the Node-API that the driver of SQLite needs: what it lacks may be called anywhere.
  '22.14.0': '.',
  // It misreads names in escapes, and is otherwise like the pinned one.
  '24.21.0': 'src/(kernel|platform/http)/',
  // The newest: what meets Node itself, that is its language, HTTP, files and processes, and the native driver of SQLite.
  '26.12.1':
    'src/(kernel|platform/(data-files|disk|http|node-client|nodes|observability|process|secrets|sql|sql-check))/',
};
export const SUPPORTED_NODES = Object.keys(UNIT_SPECS_ON);
/** Past its end of life, and still on many machines: it only fetches another. */
export const OLD_NODE = '20.19.5';

/** The program of this version. Throws a ProvisionError where the registry has none for this machine. */
export function otherNode(version) {
  const known = NODE_PACKAGES[`${process.platform}-${process.arch}`];
  if (!known) throw new ProvisionError(`The npm registry has no Node for ${process.platform}-${process.arch}.`);
  return nodeFromRegistry({ name: known.name, version });
}
