export { CountingDisk } from './counting-disk.js';
export { CHECKSUM_BYTES, encodeLine, readLine } from './line-codec.js';
export { directoriesIn, NodeDisk } from './node-disk.js';
export { replaceFile, writeFile } from './replace-file.js';
export { readSlots, SLOT_BYTES } from './slots.js';
