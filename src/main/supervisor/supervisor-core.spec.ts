import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Input as ChildInput } from './managed-process-core.js';
import { beginFleet, decideFleet, type FleetDecision, type FleetEffect, type FleetInput } from './supervisor-core.js';

const ROLES = { app: 'essential', one: 'spare', two: 'spare' } as const;
type Name = keyof typeof ROLES;
const NAMES = Object.keys(ROLES) as Name[];

const STOP: FleetInput = { kind: 'stop-requested' };

function of(name: Name, input: ChildInput): FleetInput {
  return { kind: 'child', name, input };
}
const ready = (name: Name): FleetInput => of(name, { kind: 'ready', pid: 7, url: `http://${name}` });
const exits = (name: Name, exit: { code?: number; signal?: string; complaint?: string }): FleetInput =>
  of(name, { kind: 'exited', exit: { pid: 7, code: null, signal: null, complaint: undefined, ...exit } });
const killed = (name: Name): FleetInput => exits(name, { signal: 'SIGKILL' });
const retry = (name: Name): FleetInput => of(name, { kind: 'retry-due' });
const ALL_READY = NAMES.map(ready);

function after(...inputs: readonly FleetInput[]): FleetDecision {
  return inputs.reduce<FleetDecision>((decision, input) => decideFleet(decision.state, input), beginFleet(ROLES));
}

/** What was done and said, in short. */
function deeds({ effects }: Pick<FleetDecision, 'effects'>): string[] {
  return effects.map((effect) => {
    if (effect.kind === 'child') return `${effect.effect.kind} ${effect.name}`;
    if (effect.kind === 'end') return `end ${effect.exitCode}`;
    const { notice } = effect;
    return notice.kind === 'child' ? `tell ${notice.name} ${notice.notice.kind}` : `tell ${notice.kind}`;
  });
}

describe('many children', () => {
  it('at the beginning, are all started at once', () => {
    expect(deeds(beginFleet(ROLES))).toEqual(['start app', 'start one', 'start two']);
  });

  it('when all of them are ready for the first time, are announced once, with their addresses', () => {
    expect(deeds(after(ready('one'), ready('app')))).toEqual([]);
    expect(after(...ALL_READY).effects).toEqual([
      {
        kind: 'tell',
        notice: {
          kind: 'all-up',
          children: { app: { url: 'http://app' }, one: { url: 'http://one' }, two: { url: 'http://two' } },
        },
      },
    ]);
    expect(deeds(after(...ALL_READY, killed('one'), retry('one'), ready('one')))).toEqual(['tell one ready']);
  });

  it('when the start is refused, leave those running that were found running, and stop what was started', () => {
    const found = beginFleet(ROLES, new Set(['one']));
    const refused = decideFleet(found.state, exits('app', { code: 1, complaint: 'data-corrupt: segment-1 at 17' }));
    expect(deeds(refused)).toEqual(['tell app gave-up', 'terminate two']);
    expect(deeds(decideFleet(refused.state, exits('two', { code: 0 })))).toEqual(['end 1']);
  });

  it('when one that is spare refuses to start, are announced without it, and it is tried again', () => {
    const refused = exits('two', { code: 1, complaint: 'data-corrupt: segment-1 at 17' });
    expect(deeds(after(refused))).toEqual(['tell two died']);

    const announced = after(refused, ready('one'), ready('app'));
    expect(announced.effects).toMatchObject([
      { notice: { kind: 'all-up', children: { two: { url: undefined, failure: { code: 1 } } } } },
    ]);
    expect(deeds(after(refused, ready('one'), ready('app'), retry('two')))).toEqual(['start two']);
  });

  it('when one that is spare is killed on its way up, are announced when it is there', () => {
    const dying = [killed('two'), ready('one'), ready('app'), retry('two')];

    expect(deeds(after(...dying))).toEqual(['start two']);
    expect(deeds(after(...dying, ready('two')))).toEqual(['tell all-up']);
  });

  it('when one that is spare does not get ready, are announced without it after a while', () => {
    expect(deeds(after(ready('one'), ready('app'), of('two', { kind: 'slow' })))).toEqual([
      'tell two slow',
      'tell all-up',
    ]);
  });

  it.each(NAMES)('when the port of %s is taken at the first start, are all stopped, with failure', (name) => {
    const others = NAMES.filter((other) => other !== name);
    const refused = after(...others.map(ready), exits(name, { code: 1, complaint: 'port-taken: 5072' }));

    expect(deeds(refused)[0]).toBe(`tell ${name} gave-up`);
    const rest = others.map((other) => exits(other, { code: 0 }));
    expect(
      deeds(after(...others.map(ready), exits(name, { code: 1, complaint: 'port-taken: 5072' }), ...rest)),
    ).toEqual(['end 1']);
  });

  it('when one dies, leave the others alone', () => {
    expect(deeds(after(...ALL_READY, killed('one')))).toEqual(['tell one died']);
    expect(deeds(after(...ALL_READY, killed('one'), retry('one')))).toEqual(['start one']);
  });

  it('when all die at once, are all started again', () => {
    const dead = [...ALL_READY, ...NAMES.map(killed)];

    expect(NAMES.map((name) => deeds(after(...dead, retry(name))))).toEqual([
      ['start app'],
      ['start one'],
      ['start two'],
    ]);
  });

  it('when asked to stop, stop what is essential first, then the rest, and end when all are gone', () => {
    const stopping = [...ALL_READY, STOP];
    expect(deeds(after(...stopping))).toEqual(['tell stopping', 'terminate app']);
    const appGone = exits('app', { code: 0 });
    expect(deeds(after(...stopping, appGone))).toEqual(['terminate one', 'terminate two']);
    expect(deeds(after(...stopping, appGone, exits('two', { code: 0 })))).toEqual([]);
    expect(deeds(after(...stopping, appGone, exits('two', { code: 0 }), exits('one', { code: 0 })))).toEqual([
      'tell stopped',
      'end 0',
    ]);
  });

  it('when one dies while they stop, do not start it again', () => {
    expect(deeds(after(...ALL_READY, STOP, killed('one')))).toEqual([]);
    expect(deeds(after(...ALL_READY, STOP, killed('one'), exits('app', { code: 0 })))).toEqual(['terminate two']);
  });

  it('when one waits for its next start as they stop, do not wait for it', () => {
    expect(deeds(after(...ALL_READY, killed('app'), killed('one'), STOP))).toEqual(['tell stopping', 'terminate two']);
  });

  it('when what is essential is given up later, stop the rest with failure', () => {
    const hopeless = exits('app', { code: 1, complaint: 'data-corrupt: segment-1 at 17' });

    expect(deeds(after(...ALL_READY, hopeless))).toEqual(['tell app gave-up', 'terminate one', 'terminate two']);
  });

  it('whatever happens in whatever order, never run twice, never start while stopping, and end once, all gone', () => {
    const kinds = [
      'ready',
      'killed',
      'refused',
      'taken',
      'retry-due',
      'stable',
      'slow',
      'stop-overdue',
      'stop',
    ] as const;
    const steps = fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...kinds)), { maxLength: 80 });
    const inputOf = (name: Name, kind: (typeof kinds)[number]): FleetInput => {
      if (kind === 'stop') return STOP;
      if (kind === 'ready') return ready(name);
      if (kind === 'killed') return killed(name);
      if (kind === 'refused') return exits(name, { code: 1, complaint: 'data-corrupt: x' });
      if (kind === 'taken') return exits(name, { code: 1, complaint: 'port-taken: x' });
      return of(name, { kind });
    };
    fc.assert(
      fc.property(steps, (sequence) => {
        const running = new Set<Name>();
        let [ends, isStopping] = [0, false];
        const look = ({ state, effects }: { state: FleetDecision['state']; effects: readonly FleetEffect[] }): void => {
          isStopping ||= state.phase !== 'up';
          for (const effect of effects) {
            if (effect.kind === 'end') ends += 1;
            if (effect.kind !== 'child') continue;
            const name = effect.name as Name;
            if (effect.effect.kind === 'start') {
              expect(running.has(name) || isStopping).toBe(false);
              running.add(name);
            }
            if (effect.effect.kind === 'terminate' && ROLES[name] === 'spare') expect(running).not.toContain('app');
          }
          expect(ends).toBe(state.phase === 'ended' ? 1 : 0);
          if (ends > 0) expect(running.size).toBe(0);
        };
        let decision = beginFleet(ROLES);
        look(decision);
        for (const [name, kind] of sequence) {
          const isExit = ['killed', 'refused', 'taken'].includes(kind);
          if ((isExit || kind === 'ready') && !running.has(name)) continue;
          if (isExit) running.delete(name);
          decision = decideFleet(decision.state, inputOf(name, kind));
          look(decision);
        }
      }),
      { numRuns: 500 },
    );
  });
});
