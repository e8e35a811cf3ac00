import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KernelError } from '../errno.js';
import { msleep, udelay } from '../time/delay.js';
import { type FakeLines, fakeLines, thrownBy } from './fake-line.spec-helper.js';
import { __IRQF_TIMER, IRQ_HANDLED, IRQF_NO_AUTOEN, IRQF_TRIGGER_HIGH } from './flags.js';
import { handleLevelIrq } from './flow.js';
import type { IrqHandler } from './irqdesc.js';
import { disableIrqNosync, enableIrq, freeIrq } from './manage.js';
import { resumeDeviceIrqs, suspendDeviceIrqs } from './pm.js';
import { requestIrq } from './request.js';
import { irqSetStormGuard, irqStormState, type StormLimits } from './storm.js';

const USEC = 1_000;
const MSEC = 1_000_000;
const SEC = 1_000 * MSEC;
/** 10 interrupts in 10 ms. */
const LIMITS: StormLimits = { ratePerSec: 1_000, windowNs: 10 * MSEC, backoffNs: 20 * MSEC, maxBackoffNs: 80 * MSEC };

interface Guarded extends FakeLines {
  calls: number;
  /** Edges every so many ns, for so long. */
  edges(everyNs: number, forNs: number): void;
  state(): ReturnType<typeof irqStormState>;
}

function guarded(limits: StormLimits = LIMITS, flags = 0): Guarded {
  const lines = fakeLines({ machine: { stormGuard: limits } });
  const { machine, irq, pulse } = lines;
  const all: Guarded = {
    ...lines,
    calls: 0,
    edges: (everyNs, forNs) => {
      for (let ns = 0; ns < forNs; ns += everyNs) {
        pulse();
        machine.advance(everyNs);
      }
    },
    state: () => lines.desc.storm?.state,
  };
  const count: IrqHandler = () => {
    all.calls++;
    return IRQ_HANDLED;
  };
  machine.runTask(() => requestIrq(irq, count, flags, 'storm', 'dev'));
  return all;
}

describe('a line above its rate', () => {
  it('is disabled for a back-off that grows, reported once, and works when the storm is over', () => {
    const lines = guarded();
    lines.edges(100 * USEC, 200 * MSEC);
    // 10 edges a window and 2 that are free: at 1.1 ms, and 1.1 ms after each back-off of 20, 40, 80 and 80 ms.
    expect(lines.state()).toMatchObject({ throttled: true, storms: 1, throttles: 4, throttledNs: 140 * MSEC });
    expect(lines.printed).toEqual([
      'warning: irq 1: storm: more than 1000 interrupts a second; disabled for 20 ms, then tried again',
    ]);
    // The edge that came first in a back-off is handled behind it.
    expect(lines.calls).toBe(48);
    lines.machine.advance(SEC);
    expect(lines.calls).toBe(49);
    expect(lines.printed.slice(1)).toEqual(['notice: irq 1: storm is over: disabled 4 times, 220 ms in all']);
    expect(lines.state()).toEqual({
      throttled: false,
      storms: 1,
      throttles: 4,
      throttledNs: 220 * MSEC,
      backoffNs: 0,
      merged: 0,
    });
    lines.edges(2 * MSEC, 100 * MSEC);
    expect(lines.calls).toBe(99);
  });

  it('begins with the first back-off again at the next storm, and reports that too', () => {
    const lines = guarded();
    lines.edges(100 * USEC, 50 * MSEC);
    lines.machine.advance(SEC);
    lines.edges(100 * USEC, 3 * MSEC);
    expect(lines.state()).toMatchObject({ storms: 2, throttles: 3, backoffNs: 20 * MSEC });
    expect(lines.printed.filter((text) => text.includes('storm:')).length).toBe(2);
  });

  it('is noticed within twice its budget and the free ones, and one below it never is', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 0, max: 10 * MSEC }), (everyUs, quietNs) => {
        const lines = guarded();
        lines.machine.advance(quietNs);
        let edges = 0;
        for (; edges < 22 && lines.desc.depth === 0; edges++) {
          lines.pulse();
          lines.machine.advance(everyUs * USEC);
        }
        expect(lines.state()?.throttles).toBe(everyUs < 1_000 ? 1 : 0);
      }),
    );
  });

  it('may be slow: the edges that were kept do not count against it', () => {
    const lines = guarded({ ratePerSec: 1, windowNs: SEC, backoffNs: 5 * SEC });
    for (let i = 0; i < 2; i++) {
      lines.pulse();
      lines.machine.advance(400 * MSEC);
    }
    expect(lines.desc.depth).toBe(0);
    lines.pulse();
    expect(lines.state()).toMatchObject({ throttled: true, throttles: 1 });
    lines.machine.advance(4 * SEC);
    lines.pulse();
    lines.machine.advance(10 * SEC);
    expect(lines.calls).toBe(4);
    expect(lines.state()).toMatchObject({ throttled: false, throttles: 1, backoffNs: 0 });
  });

  it('leaves nothing out: each edge is handled, kept, merged or blocked by the mask', () => {
    const burst = fc.record({ edges: fc.integer({ min: 1, max: 40 }), quietMs: fc.integer({ min: 0, max: 60 }) });
    fc.assert(
      fc.property(fc.array(burst, { maxLength: 12 }), (bursts) => {
        const lines = guarded();
        lines.taken();
        let edges = 0;
        for (const burst of bursts) {
          for (let i = 0; i < burst.edges; i++) lines.pulse();
          edges += burst.edges;
          lines.machine.advance(burst.quietMs * MSEC);
        }
        lines.machine.advance(10 * SEC);
        const blocked = lines.taken().filter((entry) => entry === 'blocked').length;
        expect(lines.calls + lines.desc.coalesced + blocked).toBe(edges);
        expect(lines.desc).toMatchObject({ depth: 0, pending: false, masked: false });
      }),
    );
  });

  it('is delivered again while a level is there, when the back-off is over', () => {
    const lines = guarded();
    const irq = lines.domain.createMapping(4);
    const desc = lines.machine.irqs.get(irq);
    desc.handleIrq = handleLevelIrq;
    let asserted = true;
    let calls = 0;
    const hardware = { masked: true };
    desc.chip = {
      name: 'level',
      mask: () => {
        hardware.masked = true;
      },
      unmask: () => {
        hardware.masked = false;
        if (asserted) lines.machine.bootCpu.callFunction(() => lines.domain.handle(4));
      },
    };
    const handler: IrqHandler = () => {
      // The device asserts its line for 15 ms of virtual time, whatever the handler does.
      asserted = lines.machine.clock.now() < 15 * MSEC;
      calls++;
      return IRQ_HANDLED;
    };
    lines.machine.runTask(() => requestIrq(irq, handler, IRQF_TRIGGER_HIGH, 'level', 'dev'));
    expect({ calls, masked: hardware.masked, depth: desc.depth }).toEqual({ calls: 12, masked: true, depth: 1 });
    lines.machine.advance(SEC);
    expect({ calls, masked: hardware.masked, depth: desc.depth }).toEqual({ calls: 13, masked: false, depth: 0 });
  });
});

describe('the other lines', () => {
  /** Latencies, in ns, of another line's edges every ms beside a line with an edge every 20 µs, each handled in 18 µs. */
  function latencies(limits: StormLimits | undefined, stormFrom: number): number[] {
    const lines = fakeLines();
    const { machine, domain, pulse } = lines;
    const quiet = domain.createMapping(5);
    const seen: number[] = [];
    let raisedAt = 0;
    machine.runTask(() =>
      requestIrq(
        lines.irq,
        function* () {
          yield* udelay(18);
          return IRQ_HANDLED;
        },
        0,
        'storm',
      ),
    );
    machine.runTask(() =>
      requestIrq(
        quiet,
        () => {
          seen.push(machine.clock.now() - raisedAt);
          return IRQ_HANDLED;
        },
        0,
        'quiet',
      ),
    );
    if (limits !== undefined) machine.runTask(() => irqSetStormGuard(lines.irq, limits));
    for (let us = 0; us < 500_000; us += 10) {
      if (us >= stormFrom && us % 20 === 0) pulse(3);
      if (us % 1_000 === 10) {
        raisedAt = machine.clock.now();
        pulse(5);
      }
      machine.advance(10 * USEC);
    }
    return seen;
  }

  it('keep their latency', () => {
    const calm = latencies(undefined, Number.POSITIVE_INFINITY);
    const storm = latencies(undefined, 0);
    const guard = latencies({ ...LIMITS, maxBackoffNs: 320 * MSEC }, 0);
    const late = (all: number[]): number => all.filter((ns) => ns > 0).length;
    expect(calm.length).toBe(500);
    expect(late(calm)).toBe(0);
    expect(late(storm)).toBe(500);
    expect(guard.length).toBe(500);
    expect(late(guard)).toBeLessThanOrEqual(2);
  });
});

describe('the guard', () => {
  it('is off unless it was asked for', () => {
    const lines = guarded();
    const unguarded = fakeLines();
    expect(unguarded.desc.storm).toBeUndefined();
    lines.machine.runTask(() => {
      irqSetStormGuard(lines.irq, null);
      expect(irqStormState(lines.irq)).toBeUndefined();
    });
    lines.edges(10 * USEC, 20 * MSEC);
    expect(lines.calls).toBe(2_000);
  });

  it('can be set for a line, which lets one go that it has disabled', () => {
    const lines = guarded();
    lines.edges(100 * USEC, 5 * MSEC);
    expect(lines.desc.depth).toBe(1);
    lines.machine.runTask(function* () {
      irqSetStormGuard(lines.irq, { ratePerSec: 100_000 });
      yield* udelay(1);
    });
    expect(lines.desc.depth).toBe(0);
    expect(lines.calls).toBe(13);
    lines.edges(100 * USEC, 50 * MSEC);
    expect(lines.calls).toBe(513);
    lines.machine.advance(SEC);
    expect(lines.state()?.throttles).toBe(0);
  });

  it('nests with the disabling of the owner', () => {
    const lines = guarded();
    lines.edges(100 * USEC, 5 * MSEC);
    lines.machine.runTask(() => disableIrqNosync(lines.irq));
    expect(lines.desc.depth).toBe(2);
    lines.machine.advance(SEC);
    expect(lines.desc.depth).toBe(1);
    expect(lines.calls).toBe(12);
    lines.machine.runTask(function* () {
      enableIrq(lines.irq);
      yield* udelay(1);
    });
    expect(lines.calls).toBe(13);
  });

  it('leaves a line as it was, in whatever order it is disabled, suspended and brought back meanwhile', () => {
    const step = fc.constantFrom('edges', 'pass', 'disable', 'enable', 'suspend', 'resume');
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const lines = guarded();
        const { machine, irq, desc } = lines;
        let disabled = 0;
        let suspended = false;
        const enable = (): void => machine.runTask(() => void enableIrq(irq));
        for (const what of steps) {
          if (what === 'edges') lines.edges(100 * USEC, 3 * MSEC);
          if (what === 'pass') machine.advance(15 * MSEC);
          if (what === 'disable') {
            machine.runTask(() => void disableIrqNosync(irq));
            disabled++;
          }
          if (what === 'enable' && disabled > 0) {
            enable();
            disabled--;
          }
          if (what === 'suspend' && !suspended) {
            machine.runTask(suspendDeviceIrqs);
            suspended = true;
          }
          if (what === 'resume' && suspended) {
            machine.runTask(resumeDeviceIrqs);
            suspended = false;
          }
          const throttled = lines.state()?.throttled === true ? 1 : 0;
          expect(desc.depth).toBe(disabled + (suspended ? 1 : 0) + throttled);
        }
        if (suspended) machine.runTask(resumeDeviceIrqs);
        for (; disabled > 0; disabled--) enable();
        machine.advance(10 * SEC);
        expect(desc).toMatchObject({ depth: 0, disabled: false, masked: false, pending: false });
        expect(lines.printed.filter((text) => text.includes('Unbalanced'))).toEqual([]);
        const before = lines.calls;
        lines.pulse();
        expect(lines.calls).toBe(before + 1);
      }),
    );
  });

  it('does not mind when the owner enables the line too early', () => {
    const lines = guarded();
    lines.edges(100 * USEC, 5 * MSEC);
    lines.machine.runTask(() => enableIrq(lines.irq));
    expect(lines.desc.depth).toBe(0);
    lines.machine.advance(SEC);
    expect(lines.desc.depth).toBe(0);
    expect(lines.printed.filter((text) => text.includes('Unbalanced'))).toEqual([]);
  });

  it('lets a line go that is freed, and does not enable its next owner', () => {
    const lines = guarded();
    const { machine, irq } = lines;
    lines.edges(100 * USEC, 5 * MSEC);
    machine.runTask(function* () {
      yield* freeIrq(irq, 'dev');
      yield* requestIrq(irq, () => IRQ_HANDLED, IRQF_NO_AUTOEN, 'next', 'next');
      yield* msleep(100);
    });
    expect(lines.desc.depth).toBe(1);
    expect(lines.state()).toMatchObject({ throttled: false, backoffNs: 0 });
  });

  it('leaves the timer alone', () => {
    const lines = guarded(LIMITS, __IRQF_TIMER);
    lines.edges(10 * USEC, 20 * MSEC);
    expect(lines.calls).toBe(2_000);
  });

  it.each([
    { ratePerSec: 0 },
    { ratePerSec: Number.NaN },
    { ratePerSec: 10, windowNs: -1 },
    { ratePerSec: 9, windowNs: 100 * MSEC },
    { ratePerSec: 10, backoffNs: Number.POSITIVE_INFINITY },
    { ratePerSec: 10, backoffNs: 20, maxBackoffNs: 10 },
  ])('refuses %o with EINVAL', (limits) => {
    const error = thrownBy(() => fakeLines({ machine: { stormGuard: limits } }));
    expect(error).toBeInstanceOf(KernelError);
    expect(error).toMatchObject({ code: 'EINVAL', message: expect.stringMatching(/^storm guard: /) });
  });
});
