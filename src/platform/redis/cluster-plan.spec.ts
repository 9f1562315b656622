import { describe, expect, it } from '@jest/globals';
import { missingOf, planCluster } from './cluster-plan.js';
import { type KnownNode, type NodeView, parseNodeView, type RedisEndpoint, type SlotRange } from './node-view.js';

const PORTS = [7000, 7001, 7002, 7003, 7004, 7005];
const endpoints: readonly RedisEndpoint[] = PORTS.map((port) => ({ host: '127.0.0.1', port }));
const THIRDS: readonly SlotRange[] = [
  [0, 5460],
  [5461, 10922],
  [10923, 16383],
];

const nodeAt = (index: number, node: Partial<KnownNode> = {}): KnownNode => ({
  ...{ id: `id-${String(index)}`, endpoint: endpoints[index]!, flags: ['master'], masterId: undefined },
  ...{ epoch: index, isLinked: true, slots: [], ...node },
});

/** What every node says when all know all of `nodes`. */
function allKnow(nodes: readonly KnownNode[], itselves = nodes): readonly NodeView[] {
  const known = new Map(nodes.map((node) => [node.id, node]));
  return itselves.map((itself, index) => ({
    ...{ endpoint: endpoints[index]!, itself, known, isClusterOk: true, isLinkUp: true, keys: 0 },
  }));
}

const formed = PORTS.map((_, index) =>
  index < 3 ? nodeAt(index, { slots: [THIRDS[index]!] }) : nodeAt(index, { masterId: `id-${String(index - 3)}` }),
);
const fresh = PORTS.map((_, index) => nodeAt(index));
const strangers = fresh.map(
  (itself, index) => allKnow([itself], [itself]).map((view) => ({ ...view, endpoint: endpoints[index]! }))[0]!,
);

describe('what is left to do for a Redis Cluster', () => {
  it('given six new nodes, introduces them to each other and gives the first three a third of the slots', () => {
    const [at] = endpoints;
    expect(planCluster(endpoints, strangers)).toEqual([
      ...endpoints.slice(1).map((other) => ({ kind: 'meet', at, other })),
      ...THIRDS.map((slots, index) => ({ kind: 'add-slots', at: endpoints[index], slots: [slots] })),
    ]);
  });

  it('given masters with all slots, makes each of the rest the replica of another one', () => {
    const nodes = formed.map((node) => ({ ...node, masterId: undefined }));

    expect(planCluster(endpoints, allKnow(nodes))).toEqual(
      [3, 4, 5].map((index) => ({ kind: 'replicate', at: endpoints[index], masterId: `id-${String(index - 3)}` })),
    );
  });

  it('given a formed cluster, does nothing and misses nothing', () => {
    expect(planCluster(endpoints, allKnow(formed))).toEqual([]);
    expect(missingOf(endpoints, allKnow(formed))).toBeUndefined();
  });

  it('given slots that a person moved, leaves them where they are', () => {
    const nodes = formed.with(0, nodeAt(0, { slots: [[0, 99]] })).with(1, nodeAt(1, { slots: [[100, 10922]] }));

    expect(planCluster(endpoints, allKnow(nodes))).toEqual([]);
  });

  it('given a forming that died between two steps, adds only the slots that have no master', () => {
    const nodes = formed.with(1, nodeAt(1, { slots: [[5461, 6000]] }));

    expect(planCluster(endpoints, allKnow(nodes))).toEqual([
      { kind: 'add-slots', at: endpoints[1], slots: [[6001, 10922]] },
    ]);
  });

  it('given a master that CLUSTER RESET emptied, gives it back the slots that the others see there, also moved ones', () => {
    const moved = formed.with(0, nodeAt(0, { slots: [[0, 1499]] })).with(1, nodeAt(1, { slots: [[1500, 10922]] }));
    const emptied = nodeAt(1);
    const views = allKnow(moved, moved.with(1, emptied));
    const known = new Map(moved.with(1, emptied).map((node) => [node.id, node]));
    const seen = views.with(1, { ...views[1]!, known });

    expect(planCluster(endpoints, seen)).toEqual([{ kind: 'add-slots', at: endpoints[1], slots: [[1500, 10922]] }]);
    expect(missingOf(endpoints, seen)).toBe('slots 1500-10922 are served by no node');
    const alone = views.with(1, { ...views[1]!, known: new Map([[emptied.id, emptied]]) });
    expect(planCluster(endpoints, alone)[0]).toEqual({ kind: 'meet', at: endpoints[1], other: endpoints[0] });
  });

  it('while one node does not answer, assigns and forgets nothing', () => {
    expect(planCluster(endpoints, strangers.slice(0, 5)).map(({ kind }) => kind)).toEqual(Array(4).fill('meet'));
    expect(missingOf(endpoints, allKnow(formed).slice(0, 5))).toBe('127.0.0.1:7005 does not answer');
  });

  it('given nodes on other ports, tells each that knows an old one', () => {
    const moved = formed.map((node) => ({ ...node, endpoint: { ...node.endpoint, port: node.endpoint.port - 100 } }));
    const steps = planCluster(endpoints, allKnow(moved));

    expect(steps.length).toBe(30);
    expect(steps).toContainEqual({ kind: 'meet', at: endpoints[2], other: endpoints[5] });
  });

  it('given a master that came back without its files, waits for its replica, then forgets the old one and adds the new one', () => {
    const returned = nodeAt(0, { id: 'new' });
    const all = [returned, ...formed];
    const itselves = formed.with(0, returned);

    expect(planCluster(endpoints, allKnow(all, itselves))).toEqual([]);

    const successor = { ...formed[3]!, masterId: undefined, slots: [THIRDS[0]!] };
    const afterwards = all.with(1, { ...formed[0]!, slots: [] }).with(4, successor);
    expect(planCluster(endpoints, allKnow(afterwards, itselves.with(3, successor)))).toEqual(
      endpoints.map((at) => ({ kind: 'forget', at, id: 'id-0' })),
    );

    const forgotten = afterwards.toSpliced(1, 1);
    expect(planCluster(endpoints, allKnow(forgotten, itselves.with(3, successor)))).toEqual([
      { kind: 'replicate', at: endpoints[0], masterId: 'id-3' },
    ]);
  });

  it.each([
    ['does not know a node', { known: new Map([formed[1]!].map((node) => [node.id, node])) }, /does not know/],
    ['does not serve', { isClusterOk: false }, '127.0.0.1:7004 does not serve yet'],
    ['does not follow', { isLinkUp: false }, '127.0.0.1:7004 does not follow its master yet'],
    ['is a master of nothing', { itself: nodeAt(4) }, '127.0.0.1:7004 is neither master nor replica'],
  ] as const)('given a node that %s, says so', (_, view, missing) => {
    const views = allKnow(formed);
    expect(missingOf(endpoints, views.with(4, { ...views[4]!, ...view }))).toMatch(missing);
  });

  it('given several nodes that lack something, names each of them, and says once what nodes lack alike', () => {
    const views = allKnow(formed);
    const [first, , third, fourth] = endpoints as [RedisEndpoint, RedisEndpoint, RedisEndpoint, RedisEndpoint];

    const REFUSAL = ['refuses the password', 'refuse the password'] as const;
    expect(missingOf(endpoints, [views[1]!, views[4]!, views[5]!], new Map([[third, REFUSAL]]))).toBe(
      '127.0.0.1:7000, 127.0.0.1:7003 do not answer; 127.0.0.1:7002 refuses the password',
    );
    const lacking = views.map((view, index) => ({
      ...view,
      isClusterOk: index < 4,
      isLinkUp: view.endpoint !== fourth,
    }));
    expect(missingOf(endpoints, lacking)).toBe(
      '127.0.0.1:7003 does not follow its master yet; 127.0.0.1:7004, 127.0.0.1:7005 do not serve yet',
    );
    const strangers = new Map([...views[0]!.known].slice(0, 4));
    expect(missingOf(endpoints, views.with(0, { ...views[0]!, endpoint: first, known: strangers }))).toBe(
      '127.0.0.1:7000 does not know 127.0.0.1:7004, 127.0.0.1:7005',
    );
  });

  it('given a master that failed, says how many slots are left', () => {
    const nodes = formed.with(0, { ...formed[0]!, flags: ['master', 'fail'] });

    const all = endpoints.map(({ port }) => `127.0.0.1:${String(port)}`).join(', ');
    expect(missingOf(endpoints, allKnow(nodes))).toBe(`${all} know a master for 10923 of 16384 slots`);
  });
});

describe('what a node says', () => {
  it('is read from its answers', () => {
    const nodes = [
      'aa :7000@17000 myself,master - 0 0 3 connected 0-5460 16383 [5461->-bb]',
      'bb 127.0.0.1:7001@17001,host slave,fail aa 0 0 2 disconnected',
      '',
    ].join('\n');
    const view = parseNodeView(
      endpoints[0]!,
      nodes,
      'cluster_state:ok\r\ncluster_slots_ok:5462\r\n',
      'role:master\r\ndb0:keys=12,expires=3,avg_ttl=0\r\n',
    );

    expect([view.isClusterOk, view.isLinkUp, view.keys]).toEqual([true, true, 12]);
    expect(view.itself).toMatchObject({
      id: 'aa',
      epoch: 3,
      slots: [
        [0, 5460],
        [16383, 16383],
      ],
      isLinked: true,
    });
    expect(view.known.get('bb')).toMatchObject({
      ...{ endpoint: { host: '127.0.0.1', port: 7001 }, masterId: 'aa', flags: ['slave', 'fail'], isLinked: false },
    });
  });

  it('of a replica without its master, tells that it does not follow', () => {
    const nodes = 'aa 127.0.0.1:7000@17000 myself,slave bb 0 0 3 connected\n';
    const view = parseNodeView(endpoints[0]!, nodes, 'cluster_state:fail\r\n', 'master_link_status:down\r\n');

    expect([view.isClusterOk, view.isLinkUp, view.keys]).toEqual([false, false, 0]);
  });
});
