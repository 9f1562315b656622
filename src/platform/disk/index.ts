export { CountingDisk } from './counting-disk.js';
export { directoriesIn, NodeDisk } from './node-disk.js';
