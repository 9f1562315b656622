import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ClusterClient,
  type ClusterOptions,
  type ClusterPorts,
  systemPorts,
} from '../../src/protocols/cluster-client/index.js';
import { freePort } from './ports.js';
import { ReplicaProcess } from './replica-process.js';

/** Real nodes, and clients of them. */
export class GroupNodes {
  private constructor(
    private readonly directory: string,
    /** In the order in which clients call them. */
    readonly processes: readonly ReplicaProcess[],
  ) {}

  /** `prepare`: what lies on the disk of each before it starts; it is given the directory of the groups. */
  static async start(
    count: number,
    settings: Readonly<Record<string, string>> = {},
    prepare: (groupsDirectory: string, index: number) => Promise<void> = () => Promise.resolve(),
  ): Promise<GroupNodes> {
    const directory = mkdtempSync(join(tmpdir(), 'bifolio-groups-'));
    const ports: number[] = [];
    while (ports.length < count) {
      const port = await freePort();
      if (!ports.includes(port)) ports.push(port);
    }
    const environment = { DATA_DIR: join(directory, 'data'), ...settings };
    const processes = ports
      .toSorted((left, right) => left - right)
      .map((port) => new ReplicaProcess(port, join(directory, 'replicas'), environment));
    for (const [index, node] of processes.entries()) {
      await prepare(join(node.directory, 'groups'), index);
      await node.start();
    }
    return new GroupNodes(directory, processes);
  }

  /** `host:port` each. */
  get names(): readonly string[] {
    return this.processes.map(({ port }) => `127.0.0.1:${String(port)}`);
  }

  /** Where clients keep what is open, one place per name. */
  clientDirectory(name = 'client'): string {
    return join(this.directory, name);
  }

  /** A client that does not wait between attempts. */
  client(options: Partial<ClusterOptions> = {}, ports: Partial<ClusterPorts> = {}): Promise<ClusterClient> {
    return ClusterClient.open(
      { nodes: this.names, directory: this.clientDirectory(), attempts: 2, backoffMs: 1, ...options },
      { ...systemPorts(), pause: () => Promise.resolve(), ...ports },
    );
  }

  /** On which nodes the group is, in order. */
  async having(groupId: string): Promise<readonly boolean[]> {
    return Promise.all(
      this.names.map(async (name) => {
        const response = await fetch(`http://${name}/v1/group/${encodeURIComponent(groupId)}`);
        await response.arrayBuffer();
        if (response.status !== 200 && response.status !== 404) throw new Error(`${name}: ${String(response.status)}`);
        return response.status === 200;
      }),
    );
  }

  async stop(): Promise<void> {
    await Promise.all(this.processes.map((node) => node.kill()));
    rmSync(this.directory, { recursive: true, force: true });
  }
}
