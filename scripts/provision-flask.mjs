/** Finds a Python with Flask, for the test of nodes that others wrote, or installs it where that is ours to do. Plain Node. */
import { spawnSync } from 'node:child_process';
import { ensureProgram, isProgram, onPath } from './provision-programs.mjs';

/** Where apt puts packages for Python, though another one may come first on PATH. */
const DEBIAN_PYTHON = '/usr/bin/python3';

/** The path of a python3 that has Flask. Absent: as `ensureProgram`. */
export function ensureFlask(env = process.env) {
  const otherRemedy = 'install Python 3 and Flask, so that "python3 -c \'import flask\'" succeeds';
  return ensureProgram(
    { name: 'Flask', debianPackage: 'python3-flask', find: () => findPython(env), otherRemedy },
    env,
  );
}

function findPython(env) {
  const pythons = [onPath('python3', env), DEBIAN_PYTHON].filter((path) => path !== undefined && isProgram(path));
  return pythons.find((path) => spawnSync(path, ['-c', 'import flask'], { stdio: 'ignore' }).status === 0);
}
