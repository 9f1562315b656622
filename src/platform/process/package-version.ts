import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The version in the package.json above this file, compiled or bundled; `unknown` where only the running files were copied. */
export function packageVersion(below = dirname(fileURLToPath(import.meta.url))): string {
  const path = join(below, 'package.json');
  if (existsSync(path)) return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
  const above = dirname(below);
  return above === below ? 'unknown' : packageVersion(above);
}
