export { DataFiles } from './data-files.js';
export { WatchedDisk } from './watched-disk.js';
