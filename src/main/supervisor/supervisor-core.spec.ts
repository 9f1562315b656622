import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ESSENTIAL, type Input as ChildInput, SPARE } from './managed-process-core.js';
import {
  begin,
  decide,
  type SupervisorDecision,
  type SupervisorEffect,
  type SupervisorInput,
} from './supervisor-core.js';

const RULES = {
  app: { restart: ESSENTIAL, stopRank: 1 },
  one: { restart: SPARE, stopRank: 2 },
  two: { restart: SPARE, stopRank: 2 },
};
type Name = keyof typeof RULES;
const NAMES = Object.keys(RULES) as Name[];

const STOP: SupervisorInput = { kind: 'stop-requested' };

function of(name: Name, input: ChildInput): SupervisorInput {
  return { kind: 'child', name, input };
}
const ready = (name: Name): SupervisorInput => of(name, { kind: 'ready', pid: 7, url: `http://${name}` });
const exits = (name: Name, exit: { code?: number; signal?: string; complaint?: string }): SupervisorInput =>
  of(name, { kind: 'exited', exit: { pid: 7, code: null, signal: null, complaint: undefined, ...exit } });
const killed = (name: Name): SupervisorInput => exits(name, { signal: 'SIGKILL' });
const retry = (name: Name): SupervisorInput => of(name, { kind: 'retry-due' });
const ALL_READY = NAMES.map(ready);

function after(...inputs: readonly SupervisorInput[]): SupervisorDecision {
  return inputs.reduce<SupervisorDecision>((decision, input) => decide(decision.state, input), begin(RULES));
}

/** What was done and said, in short. */
function deeds({ effects }: Pick<SupervisorDecision, 'effects'>): string[] {
  return effects.map((effect) => {
    if (effect.kind === 'child') return `${effect.effect.kind} ${effect.name}`;
    if (effect.kind === 'end') return `end ${effect.exitCode}`;
    const { notice } = effect;
    return notice.kind === 'child' ? `notify ${notice.name} ${notice.notice.kind}` : `notify ${notice.kind}`;
  });
}

describe('two essential children', () => {
  const [corrupt, gone] = [{ code: 1, complaint: 'data-corrupt: segment-1 at 17' }, { signal: 'SIGKILL' }];
  const pair = { one: { restart: ESSENTIAL, stopRank: 1 }, two: { restart: ESSENTIAL, stopRank: 1 } };
  const told = (...inputs: readonly SupervisorInput[]): SupervisorDecision =>
    inputs.reduce<SupervisorDecision>((decision, input) => decide(decision.state, input), begin(pair));

  it('when one of them is given up after the start, go on with the other one, and end with that', () => {
    const up = [ready('one'), ready('two'), exits('one', gone), retry('one')];
    expect(deeds(told(...up, exits('one', corrupt)))).toEqual(['notify one gave-up']);
    expect(deeds(told(...up, exits('one', corrupt), exits('two', gone)))).toEqual(['notify two died']);

    const last = told(...up, exits('one', corrupt), exits('two', gone), retry('two'), exits('two', corrupt));
    expect(deeds(last)).toEqual(['notify two gave-up', 'end 1']);
  });

  it('when one of them refuses the first start, are both not started', () => {
    expect(deeds(told(ready('one'), exits('two', corrupt)))).toEqual(['notify two gave-up', 'terminate one']);
  });
});

describe('many children', () => {
  it('at the beginning, are all started at once', () => {
    expect(deeds(begin(RULES))).toEqual(['start app', 'start one', 'start two']);
  });

  it('when all of them are ready for the first time, are announced once, with their addresses', () => {
    expect(deeds(after(ready('one'), ready('app')))).toEqual([]);
    expect(after(...ALL_READY).effects).toEqual([
      {
        kind: 'notify',
        notice: {
          kind: 'all-up',
          children: { app: { url: 'http://app' }, one: { url: 'http://one' }, two: { url: 'http://two' } },
        },
      },
    ]);
    expect(deeds(after(...ALL_READY, killed('one'), retry('one'), ready('one')))).toEqual(['notify one ready']);
  });

  it('when the start is refused, leave those running that were found running, and stop what was started', () => {
    const found = begin(RULES, new Set(['one']));
    const refused = decide(found.state, exits('app', { code: 1, complaint: 'data-corrupt: segment-1 at 17' }));
    expect(deeds(refused)).toEqual(['notify app gave-up', 'terminate two']);
    expect(deeds(decide(refused.state, exits('two', { code: 0 })))).toEqual(['end 1']);
  });

  it('when one that is spare refuses to start, are announced without it, and it is tried again', () => {
    const refused = exits('two', { code: 1, complaint: 'data-corrupt: segment-1 at 17' });
    expect(deeds(after(refused))).toEqual(['notify two died']);

    const announced = after(refused, ready('one'), ready('app'));
    expect(announced.effects).toMatchObject([
      { notice: { kind: 'all-up', children: { two: { url: undefined, failure: { code: 1 } } } } },
    ]);
    expect(deeds(after(refused, ready('one'), ready('app'), retry('two')))).toEqual(['start two']);
  });

  it('when one that is spare is killed on its way up, are announced when it is there', () => {
    const dying = [killed('two'), ready('one'), ready('app'), retry('two')];

    expect(deeds(after(...dying))).toEqual(['start two']);
    expect(deeds(after(...dying, ready('two')))).toEqual(['notify all-up']);
  });

  it('when one that is spare does not get ready, are announced without it after a while', () => {
    expect(deeds(after(ready('one'), ready('app'), of('two', { kind: 'slow' })))).toEqual([
      'notify two slow',
      'notify all-up',
    ]);
  });

  it('when the start takes a while, name once what is not ready, and nothing after all are up', () => {
    const waiting = (name: Name): SupervisorInput => of(name, { kind: 'not-ready-yet' });

    expect(after(ready('one'), waiting('app')).effects).toEqual([
      { kind: 'notify', notice: { kind: 'waiting', names: ['app', 'two'] } },
    ]);
    expect(deeds(after(ready('one'), waiting('app'), waiting('two')))).toEqual([]);
    expect(deeds(after(...ALL_READY, killed('one'), retry('one'), waiting('one')))).toEqual([]);
  });

  it('given a rank of its own, is asked to stop when the lower ranks are gone', () => {
    const three = { ...RULES, last: { restart: SPARE, stopRank: 3 } };
    const exitsOf = (name: string): SupervisorInput => ({ ...exits('app', { code: 0 }), name }) as SupervisorInput;
    let decision = decide(begin(three).state, STOP);
    const asked = ['app', 'one', 'two'].map((name) => deeds((decision = decide(decision.state, exitsOf(name)))));

    expect(asked).toEqual([['terminate one', 'terminate two'], [], ['terminate last']]);
  });

  it.each(NAMES)('when the port of %s is taken at the first start, are all stopped, with failure', (name) => {
    const others = NAMES.filter((other) => other !== name);
    const refused = after(...others.map(ready), exits(name, { code: 1, complaint: 'port-taken: 5072' }));

    expect(deeds(refused)[0]).toBe(`notify ${name} gave-up`);
    const rest = others.map((other) => exits(other, { code: 0 }));
    expect(
      deeds(after(...others.map(ready), exits(name, { code: 1, complaint: 'port-taken: 5072' }), ...rest)),
    ).toEqual(['end 1']);
  });

  it('when one dies, leave the others alone', () => {
    expect(deeds(after(...ALL_READY, killed('one')))).toEqual(['notify one died']);
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
    expect(deeds(after(...stopping))).toEqual(['notify stopping', 'terminate app']);
    const appGone = exits('app', { code: 0 });
    expect(deeds(after(...stopping, appGone))).toEqual(['terminate one', 'terminate two']);
    expect(deeds(after(...stopping, appGone, exits('two', { code: 0 })))).toEqual([]);
    expect(deeds(after(...stopping, appGone, exits('two', { code: 0 }), exits('one', { code: 0 })))).toEqual([
      'notify stopped',
      'end 0',
    ]);
  });

  it('when one dies while they stop, do not start it again', () => {
    expect(deeds(after(...ALL_READY, STOP, killed('one')))).toEqual([]);
    expect(deeds(after(...ALL_READY, STOP, killed('one'), exits('app', { code: 0 })))).toEqual(['terminate two']);
  });

  it('when one waits for its next start as they stop, do not wait for it', () => {
    expect(deeds(after(...ALL_READY, killed('app'), killed('one'), STOP))).toEqual([
      'notify stopping',
      'terminate two',
    ]);
  });

  it('when what is essential is given up later, stop the rest with failure', () => {
    const hopeless = exits('app', { code: 1, complaint: 'data-corrupt: segment-1 at 17' });

    expect(deeds(after(...ALL_READY, hopeless))).toEqual(['notify app gave-up', 'terminate one', 'terminate two']);
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
      'not-ready-yet',
      'stop-overdue',
      'stop',
    ] as const;
    const steps = fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...kinds)), { maxLength: 80 });
    const inputOf = (name: Name, kind: (typeof kinds)[number]): SupervisorInput => {
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
        const look = ({
          state,
          effects,
        }: {
          state: SupervisorDecision['state'];
          effects: readonly SupervisorEffect[];
        }): void => {
          isStopping ||= state.phase !== 'up';
          for (const effect of effects) {
            if (effect.kind === 'end') ends += 1;
            if (effect.kind !== 'child') continue;
            const name = effect.name as Name;
            if (effect.effect.kind === 'start') {
              expect(running.has(name) || isStopping).toBe(false);
              running.add(name);
            }
            if (effect.effect.kind === 'terminate' && RULES[name].stopRank === 2) expect(running).not.toContain('app');
          }
          expect(ends).toBe(state.phase === 'ended' ? 1 : 0);
          if (ends > 0) expect(running.size).toBe(0);
        };
        let decision = begin(RULES);
        look(decision);
        for (const [name, kind] of sequence) {
          const isExit = ['killed', 'refused', 'taken'].includes(kind);
          if ((isExit || kind === 'ready') && !running.has(name)) continue;
          if (isExit) running.delete(name);
          decision = decide(decision.state, inputOf(name, kind));
          look(decision);
        }
      }),
      { numRuns: 500 },
    );
  });
});
