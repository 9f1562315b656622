import { afterEach, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:net';
import { firstNodePort } from '../../../test/support/ports.js';
import { freeNodePorts } from './free-ports.js';

const BUS_OFFSET = 10_000;
const servers: Server[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

async function take(port: number): Promise<void> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
}

/** Eight ports in a row that are free, with their bus ports, and the bus ports of those. */
async function freeRow(): Promise<readonly number[]> {
  for (;;) {
    const first = firstNodePort();
    const row = Array.from({ length: 8 }, (_, index) => first + index);
    const isFree = async (wanted: readonly number[]): Promise<boolean> =>
      (await freeNodePorts(wanted)).every((port, index) => port === wanted[index]);
    if ((await isFree(row)) && (await isFree(row.map((port) => port + BUS_OFFSET)))) return row;
  }
}

describe('the ports of Redis nodes', () => {
  it('are the wanted ones while they are free', async () => {
    const [one, two] = (await freeRow()) as [number, number];

    expect(await freeNodePorts([one, two])).toEqual([one, two]);
  });

  it.each([0, 10_000])(
    'given another program on a wanted port + %i, is the next that no other node wants',
    async (offset) => {
      const [one, two, three] = (await freeRow()) as [number, number, number];
      await take(one + offset);

      expect(await freeNodePorts([one, two])).toEqual([three, two]);
    },
  );

  it.each([0, 10_000])('never move to a port where another process of ours needs it + %i', async (offset) => {
    const [one, two, three, four] = (await freeRow()) as [number, number, number, number];
    await take(one);

    expect(await freeNodePorts([one, two], [], [three + offset])).toEqual([four, two]);
    expect(await freeNodePorts([one, two], [three, two], [three + offset])).toEqual([four, two]);
    expect(await freeNodePorts([one, three + 10_000])).toEqual([two, three + 10_000]);
    expect(await freeNodePorts([one, two + 10_000])).toEqual([three, two + 10_000]);
  });

  it('given a running node, leave it where it is, unless its wanted port is free again', async () => {
    const [one, two, three, four] = (await freeRow()) as [number, number, number, number];
    await take(one);
    await take(two);
    await take(four);

    expect(await freeNodePorts([one, two], [four, two])).toEqual([four, two]);
    expect(await freeNodePorts([three, two], [four, two])).toEqual([three, two]);
  });
});
