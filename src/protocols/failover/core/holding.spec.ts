import { describe, expect, it } from '@jest/globals';
import { arrived, deadlineOf, decide, type Holding, type HoldingEffect, type HoldingInput } from './holding.js';

const LIMITS = { holdMs: 10_000, activeMs: 35_000 };
const WRITE = { key: 'k' };
const READ = { key: undefined };
const ABORT: HoldingEffect = { type: 'abort' };

/** The effects of the last input, and where the request is then. */
function after(request: { readonly key: string | undefined }, ...inputs: readonly HoldingInput[]) {
  let holding: Holding = arrived(request, 0);
  let effects: readonly HoldingEffect[] = [];
  for (const input of inputs) ({ holding, effects } = decide(holding, input, LIMITS));
  return { holding, effects };
}

const active = (nowMs: number, process = 1): HoldingInput => ({ type: 'active', process, nowMs });
const sent: HoldingInput = { type: 'sent' };
const lost = (nowMs: number): HoldingInput => ({ type: 'lost', nowMs });
const time = (nowMs: number): HoldingInput => ({ type: 'time', nowMs });

describe('a request at the gateway', () => {
  it('waits while nobody is active, and then goes to the active process', () => {
    expect(after(WRITE, time(9_999)).holding.phase).toBe('held');
    expect(after(WRITE, time(9_999), active(9_999))).toMatchObject({
      holding: { phase: 'forwarded' },
      effects: [{ type: 'forward', key: 'k' }],
    });
  });

  it('goes to the next active process with the same key when the first one is lost', () => {
    const { effects } = after(WRITE, active(0), sent, lost(5), active(900, 2));
    expect(effects).toEqual([{ type: 'forward', key: 'k' }]);
  });

  it('is refused when nobody was active for too long and it never reached a process', () => {
    const refused = [{ type: 'refuse', why: 'held' }];
    expect(after(WRITE, time(10_000)).effects).toEqual(refused);
    expect(after(WRITE, active(0), lost(5), time(10_005)).effects).toEqual(refused);
    expect(after(READ, active(0), sent, lost(5), time(10_005)).effects).toEqual(refused);
  });

  it('has an unknown outcome when it reached a process that is lost, also when a later one did nothing', () => {
    const unknown = [{ type: 'tell-unknown', why: 'held', key: 'k' }];
    expect(after(WRITE, active(0), sent, lost(5), time(10_005)).effects).toEqual(unknown);
    const refusedLater = [active(0), sent, lost(5), active(5, 2), sent, { type: 'not-active', nowMs: 5 }] as const;
    expect(after(WRITE, ...refusedLater, time(10_005)).effects).toEqual(unknown);
  });

  it('counts as undone after a process that was not active said so', () => {
    const { effects } = after(WRITE, active(0), sent, { type: 'not-active', nowMs: 5 }, time(10_005));
    expect(effects).toEqual([{ type: 'refuse', why: 'held' }]);
  });

  it('counts only the time without an active process as held, over all outages', () => {
    const waited = [active(6_000), sent, lost(30_000)] as const;
    expect(after(WRITE, ...waited, time(33_999)).holding.phase).toBe('held');
    expect(after(WRITE, ...waited, time(34_000)).holding.phase).toBe('over');
    expect(deadlineOf(after(WRITE, ...waited).holding, LIMITS)).toBe(34_000);
  });

  it('waits for a living process as long as its slowest answer may take, over all processes', () => {
    expect(after(WRITE, active(0), sent, time(34_999)).holding.phase).toBe('forwarded');
    expect(after(WRITE, active(0), sent, time(35_000)).effects).toEqual([
      ABORT,
      { type: 'tell-unknown', why: 'slow', key: 'k' },
    ]);
    expect(after(WRITE, active(0), time(35_000)).effects).toEqual([ABORT, { type: 'refuse', why: 'slow' }]);
    const second = [active(0), sent, lost(30_000), active(31_000, 2), sent] as const;
    expect(after(WRITE, ...second, time(35_999)).holding.phase).toBe('forwarded');
    expect(after(WRITE, ...second, time(36_000)).holding.phase).toBe('over');
  });

  it('is not sent again once bytes of an answer have gone to the client', () => {
    const answering = [active(0), sent, { type: 'answer-begins' }] as const;
    expect(after(READ, ...answering, lost(5))).toEqual({ holding: { phase: 'over' }, effects: [{ type: 'cut-off' }] });
    expect(after(READ, ...answering, time(1e9)).holding.phase).toBe('answering');
  });

  it('is dropped when its client is gone, whether held or forwarded', () => {
    expect(after(WRITE, { type: 'client-gone' }, active(5)).effects).toEqual([]);
    expect(after(WRITE, active(0), { type: 'client-gone' }).effects).toEqual([ABORT]);
    expect(after(WRITE, active(0), sent, lost(1), { type: 'client-gone' }, active(5, 2)).effects).toEqual([]);
  });

  it('is answered truly when the gateway stops', () => {
    expect(after(WRITE, { type: 'stop' }).effects).toEqual([{ type: 'refuse', why: 'stopping' }]);
    expect(after(WRITE, active(0), sent, { type: 'stop' }).effects).toEqual([
      ABORT,
      { type: 'tell-unknown', why: 'stopping', key: 'k' },
    ]);
  });

  it('does not go to a process again that lives and has lost it three times', () => {
    const rounds = [active(0), sent, lost(1), active(1), sent, lost(2), active(2), sent, lost(3)] as const;
    expect(after(WRITE, ...rounds, active(3)).effects).toEqual([{ type: 'tell-unknown', why: 'losing', key: 'k' }]);
    expect(after(READ, ...rounds, active(3)).effects).toEqual([{ type: 'refuse', why: 'losing' }]);
    expect(after(WRITE, ...rounds, active(3, 2)).effects).toEqual([{ type: 'forward', key: 'k' }]);
  });

  it('is over after its answer, whatever comes later', () => {
    const end = after(WRITE, active(0), sent, { type: 'answered' });
    expect(end).toEqual({ holding: { phase: 'over' }, effects: [] });
    expect(decide(end.holding, lost(9), LIMITS).effects).toEqual([]);
  });
});
