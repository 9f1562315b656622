/** The Nodes beside the running one that Bifolio is tried on: `npm run test:nodes`. They come from the npm registry. */
import { NODE_PACKAGES, nodeFromRegistry } from './provision-node.mjs';
import { ProvisionError } from './provision-error.mjs';

/** The oldest with the Node-API that the driver of SQLite needs, one that misreads names in escapes, and the newest. */
export const SUPPORTED_NODES = ['22.14.0', '24.21.0', '26.12.1'];
/** Runs all unit specs; the others run only those of MEETS_NODE. */
export const [OLDEST_NODE] = SUPPORTED_NODES;
/** The paths of what meets Node itself: its language, HTTP, files and processes, and the native driver of SQLite. */
export const MEETS_NODE =
  'src/(kernel|platform/(data-files|disk|http|node-client|nodes|observability|process|secrets|sql|sql-check))/';
/** Past its end of life, and still on many machines: it only fetches another. */
export const OLD_NODE = '20.19.5';

/** The program of this version. Throws a ProvisionError where the registry has none for this machine. */
export function otherNode(version) {
  const known = NODE_PACKAGES[`${process.platform}-${process.arch}`];
  if (!known) throw new ProvisionError(`The npm registry has no Node for ${process.platform}-${process.arch}.`);
  return nodeFromRegistry({ name: known.name, version });
}
