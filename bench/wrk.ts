import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { CONNECTIONS, type Load, type LoadCount, type LoadGenerator } from './load.js';

const RESULT = /^RESULT (.*)$/m;

/** wrk on one thread: a small part of a core even for answers of 10 KB. `script` is lua/load.lua. */
export class Wrk implements LoadGenerator {
  readonly name = 'wrk';
  readonly boundsFigures = false;

  constructor(
    private readonly program: string,
    private readonly script: string,
  ) {}

  async run({ url, seconds, headers = {}, connections = CONNECTIONS, write, posts }: Load): Promise<LoadCount> {
    const options = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', this.script];
    const headerOptions = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
    const ownBodies = write ? ['--', write.method, String(write.firstNumber), write.body] : [];
    const ownPaths = posts ? ['--', 'POST', String(posts.firstNumber), '', posts.path] : [];
    const { stdout } = await promisify(execFile)(this.program, [
      ...options,
      ...headerOptions,
      url,
      ...ownBodies,
      ...ownPaths,
    ]);
    const [, json] = RESULT.exec(stdout) ?? [];
    if (json === undefined) throw new Error(`wrk printed no result: ${stdout}`);
    const counted = JSON.parse(json) as Omit<LoadCount, 'seconds'> & { microseconds: number };
    return { ...counted, seconds: counted.microseconds / 1e6 };
  }
}
