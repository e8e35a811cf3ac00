// Outputs as actions drive them: pulses end at their time, in whatever order they are begun, prolonged and cut off.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GpioDesc, type Level, type LineRequest, Machine } from '../../kernel/index.js';
import { Outputs } from './outputs.js';

const MS = 1e6;

function rig() {
  const machine = new Machine();
  const levels = new Map<number, Level>();
  const told: string[] = [];
  const rests = new Map<string, Level | undefined>();
  const state = { away: false };
  const request = {
    getValue: (offset: number) => levels.get(offset) ?? 0,
    setValue: (offset: number, value: Level) => {
      if (state.away) throw new Error('the chip is gone');
      levels.set(offset, value);
    },
  } as unknown as LineRequest;
  const nowNs = (): number => machine.clock.now();
  const outputs = new Outputs((name) => new GpioDesc(name, name === 'relay' ? 4 : 5, 'out', request), {
    nowNs,
    onValue: (line, value, atNs) => told.push(`${line} ${value} at ${atNs / MS}`),
    onError: (line, error) => told.push(`${line}: ${(error as Error).message}`),
    onRest: ({ name }, rest) => rests.set(name, rest),
  });
  return {
    state,
    told,
    rests,
    outputs,
    relay: outputs.get('relay'),
    level: () => levels.get(4) ?? 0,
    act: (body: () => void) => machine.runTask(body),
    pass: (ms: number) => machine.advance(ms * MS),
  };
}

describe('a pulse', () => {
  it('gives the line a level, and the other one when it is over, and tells of that', () => {
    const { relay, act, pass, level, told } = rig();
    act(() => relay.pulse(1, 200 * MS));
    pass(199);
    expect(level()).toBe(1);
    pass(1);
    expect(level()).toBe(0);
    expect(told).toEqual(['relay 0 at 200']);
  });

  it('says what the line goes back to, for as long as it is under way', () => {
    const { relay, act, pass, rests } = rig();
    act(() => relay.pulse(1, 200 * MS));
    expect(rests.get('relay')).toBe(0);
    pass(200);
    expect(rests.get('relay')).toBeUndefined();
    act(() => relay.pulse(0, 200 * MS));
    expect(rests.get('relay')).toBe(1);
    act(() => relay.set(0));
    expect(rests.get('relay')).toBeUndefined();
  });

  it('is prolonged by another, and never shortened', () => {
    const { relay, act, pass, level } = rig();
    act(() => relay.pulse(1, 200 * MS));
    pass(150);
    act(() => relay.pulse(1, 200 * MS));
    pass(100);
    act(() => relay.pulse(1, 10 * MS));
    pass(99);
    expect(level()).toBe(1);
    pass(1);
    expect(level()).toBe(0);
  });

  it('to the other level takes its place', () => {
    const { relay, act, pass, level } = rig();
    act(() => relay.pulse(1, 200 * MS));
    act(() => relay.pulse(0, 50 * MS));
    expect(level()).toBe(0);
    pass(50);
    expect(level()).toBe(1);
    pass(1_000);
    expect(level()).toBe(1);
  });

  it.each([
    ['set', (relay: { set(value: Level): void }) => relay.set(1)],
    ['forget', (relay: { forget(): void }) => relay.forget()],
  ])('is cut off by %s, and the line keeps its level', (_, cutOff) => {
    const { relay, act, pass, level, told } = rig();
    act(() => relay.pulse(1, 200 * MS));
    act(() => cutOff(relay));
    pass(1_000);
    expect(level()).toBe(1);
    expect(told).toEqual([]);
    expect(relay.pulsing).toBe(false);
  });

  it('is one of the line, whoever begins it', () => {
    const { outputs, act, pass, level } = rig();
    act(() => outputs.get('relay').pulse(1, 200 * MS));
    act(() => outputs.get('relay').pulse(1, 300 * MS));
    pass(250);
    expect(level()).toBe(1);
  });

  it('ends as soon as its chip is back, and tells of the error once', () => {
    const { state, relay, act, pass, level, told } = rig();
    act(() => relay.pulse(1, 200 * MS));
    state.away = true;
    pass(5_000);
    expect(told).toEqual(['relay: the chip is gone']);
    state.away = false;
    pass(1_000);
    expect(level()).toBe(0);
    expect(told.at(-1)).toMatch(/^relay 0 at 5200/);
  });

  it('that could not begin is none', () => {
    const { state, relay, act, pass, told } = rig();
    state.away = true;
    expect(() => act(() => relay.pulse(1, 200 * MS))).toThrow('the chip is gone');
    state.away = false;
    pass(1_000);
    expect(told).toEqual([]);
  });

  it('is ended at once when its line is let go, or all are', () => {
    const { outputs, relay, act, pass, level } = rig();
    act(() => relay.pulse(1, 200 * MS));
    outputs.end();
    expect(level()).toBe(0);
    act(() => relay.pulse(1, 200 * MS));
    outputs.remove('relay');
    expect(level()).toBe(0);
    pass(1_000);
    expect(outputs.get('relay')).not.toBe(relay);
  });

  it('toggle is cut off from a pulse as well', () => {
    const { relay, act, pass, level } = rig();
    act(() => relay.pulse(1, 200 * MS));
    act(() => relay.toggle());
    expect(level()).toBe(0);
    pass(1_000);
    expect(level()).toBe(0);
  });
});

describe('any orders', () => {
  const order = fc.oneof(
    fc.record({ kind: fc.constant('set' as const), value: fc.constantFrom<Level>(0, 1) }),
    fc.record({
      kind: fc.constant('pulse' as const),
      value: fc.constantFrom<Level>(0, 1),
      forMs: fc.integer({ min: 1, max: 50 }),
    }),
  );

  it('leave the line as a plain account of them says', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ order, passMs: fc.nat(60) }), { maxLength: 30 }), (list) => {
        const { relay, act, pass, level } = rig();
        let expectedLevel: Level = 0;
        let endMs = Number.POSITIVE_INFINITY;
        let nowMs = 0;
        for (const { order, passMs } of list) {
          act(() => (order.kind === 'set' ? relay.set(order.value) : relay.pulse(order.value, order.forMs * MS)));
          if (order.kind === 'set') endMs = Number.POSITIVE_INFINITY;
          else if (endMs === Number.POSITIVE_INFINITY || expectedLevel !== order.value) endMs = nowMs + order.forMs;
          else endMs = Math.max(endMs, nowMs + order.forMs);
          expectedLevel = order.value;
          pass(passMs);
          nowMs += passMs;
          if (nowMs >= endMs) {
            expectedLevel = expectedLevel === 1 ? 0 : 1;
            endMs = Number.POSITIVE_INFINITY;
          }
          expect(level()).toBe(expectedLevel);
        }
      }),
      { numRuns: 200 },
    );
  });
});
