/**
 * Loaded into an app with `node --import`: the lock of its data directory says yes although another process has it, as a lock on a
 * broken file system does. What is left is the fencing.
 */
import Database from 'better-sqlite3';

const isLock = (handle) => handle.name.endsWith('lock.db');
const { exec, pragma } = Database.prototype;

Database.prototype.exec = function (sql) {
  return isLock(this) ? this : exec.call(this, sql);
};
Database.prototype.pragma = function (...parameters) {
  return isLock(this) ? undefined : pragma.apply(this, parameters);
};
