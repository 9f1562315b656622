import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const NAME = 'node-of-a-test';

/** An npm registry with one package: a "Node" that hands over to the one that runs the tests. */
export class NodeRegistry {
  readonly version = process.versions.node;
  /** As `ensureNode` takes it. */
  readonly wanted: { readonly name: string; readonly version: string; readonly integrity: string };
  url = '';
  tarballsSent = 0;
  /** Half of the tarball is sent, and no more, while this is set. */
  isStuck = false;
  private readonly server: Server;

  private constructor(private readonly tarball: Buffer) {
    this.wanted = { name: NAME, version: this.version, integrity: integrityOf(tarball) };
    this.server = createServer((request, response) => {
      if (request.url?.endsWith('.tgz')) this.sendTarball(response);
      else response.setHeader('content-type', 'application/json').end(this.packument(request.headers.host ?? ''));
    });
  }

  static async open(): Promise<NodeRegistry> {
    const registry = new NodeRegistry(packed());
    await new Promise<void>((resolve) => registry.server.listen(0, '127.0.0.1', resolve));
    registry.url = `http://127.0.0.1:${String((registry.server.address() as AddressInfo).port)}/`;
    return registry;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private packument(host: string): string {
    const dist = { tarball: `http://${host}/${NAME}.tgz`, integrity: this.wanted.integrity };
    const versions = { [this.version]: { name: NAME, version: this.version, dist } };
    return JSON.stringify({ name: NAME, 'dist-tags': { latest: this.version }, versions });
  }

  private sendTarball(response: ServerResponse): void {
    this.tarballsSent += 1;
    response.setHeader('content-length', this.tarball.length);
    if (!this.isStuck) {
      response.end(this.tarball);
      return;
    }
    response.write(this.tarball.subarray(0, this.tarball.length / 2));
  }
}

function integrityOf(tarball: Buffer): string {
  return `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
}

function packed(): Buffer {
  const directory = mkdtempSync(join(tmpdir(), 'bifolio-registry-'));
  try {
    mkdirSync(join(directory, 'package/bin'), { recursive: true });
    const manifest = { name: NAME, version: process.versions.node };
    writeFileSync(join(directory, 'package/package.json'), JSON.stringify(manifest));
    writeFileSync(join(directory, 'package/bin/node'), `#!/bin/sh\nexec '${process.execPath}' "$@"\n`);
    chmodSync(join(directory, 'package/bin/node'), 0o755);
    execFileSync('tar', ['-czf', 'package.tgz', 'package'], { cwd: directory });
    return readFileSync(join(directory, 'package.tgz'));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
