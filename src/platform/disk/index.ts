export { directoriesIn, NodeDisk } from './node-disk.js';
