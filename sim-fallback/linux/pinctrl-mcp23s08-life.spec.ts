// Lines of an expander that come and go while others press buttons: any program leaves the chip as its users want it.
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  disableIrq,
  enableIrq,
  freeIrq,
  IRQ_HANDLED,
  IRQF_TRIGGER_FALLING,
  IRQF_TRIGGER_HIGH,
  IRQF_TRIGGER_LOW,
  IRQF_TRIGGER_RISING,
  msleep,
  requestAnyContextIrq,
  usleepRange,
} from '../../kernel/index.js';
import { GPINTEN } from '../i2c/mcp23017-port.js';
import { expanderRig, linesOf, MS, US } from './expander.spec-helper.js';
import { i2cSmbusReadWordData } from './i2c-core.js';
import { mcp23s08Remove } from './pinctrl-mcp23s08.js';

const BOTH = IRQF_TRIGGER_FALLING | IRQF_TRIGGER_RISING;
const LINES = [0, 5, 8, 15];
const TYPES = [IRQF_TRIGGER_FALLING, BOTH, IRQF_TRIGGER_HIGH, IRQF_TRIGGER_LOW];

const step = fc.oneof(
  fc.record({ do: fc.constant('request'), line: fc.nat(3), type: fc.constantFrom(...TYPES) }),
  fc.record({ do: fc.constant('free'), line: fc.nat(3) }),
  fc.record({ do: fc.constant('bounce'), line: fc.nat(3) }),
  fc.record({ do: fc.constant('drive'), line: fc.nat(3), level: fc.constantFrom<0 | 1>(0, 1) }),
);
type Step = { do: string; line: number; type?: number; level?: 0 | 1 };
const program = fc.array(fc.tuple(step, fc.integer({ min: 0, max: 3000 })), { maxLength: 24 });

/** One run: each line has a task of its own that does its steps one after the other, as a driver would. */
function play(steps: readonly (readonly [Step, number])[], cpus: number, workUs: number): void {
  const { log, machine, i2c, expander, mcp, int } = expanderRig({ board: {}, cpus, frequencyHz: 400_000 });
  const requested = new Set<number>();
  const called: number[] = [];
  let open = steps.length;

  function* request(line: number, type: number) {
    if (requested.has(line)) return;
    requested.add(line);
    function* handler() {
      called.push(line);
      expect(requested.has(line), 'freed').toBe(true);
      yield* usleepRange(workUs, workUs);
      return IRQ_HANDLED;
    }
    expect(yield* requestAnyContextIrq(mcp.toIrq(line), handler, type, `line${line}`)).toBe(1);
  }
  function* free(line: number) {
    if (!requested.has(line)) return;
    yield* freeIrq(mcp.toIrq(line));
    requested.delete(line);
  }
  function* bounce(line: number) {
    if (!requested.has(line)) return;
    yield* disableIrq(mcp.toIrq(line));
    yield* enableIrq(mcp.toIrq(line));
  }
  for (const at of LINES.keys()) {
    const line = LINES[at] ?? 0;
    machine.spawn(`user${line}`, function* () {
      for (const [what, waitUs] of steps) {
        if (what.line !== at) continue;
        if (what.do === 'request') yield* request(line, what.type ?? 0);
        else if (what.do === 'free') yield* free(line);
        else if (what.do === 'bounce') yield* bounce(line);
        else expander.device.drive(line, what.level ?? 0);
        yield* usleepRange(waitUs, waitUs);
        open--;
      }
    });
  }
  machine.advance(500_000 * US);
  expect(open, 'all users are done').toBe(0);

  // Lines with a level that holds go on for ever: their drivers free them.
  machine.runTask(function* () {
    const client = { adapter: i2c.adapter, addr: expander.device.address };
    const mask = [...requested].reduce((bits, line) => bits | (1 << line), 0);
    expect(mcp.irqEnabled).toBe(mask);
    for (const line of [...requested]) yield* free(line);
    expect(yield* i2cSmbusReadWordData(client, GPINTEN << 1)).toBe(0);
  });
  machine.advance(50_000 * US);
  const total = machine.irqs.get(mcp.irq).total;
  const calls = called.length;
  machine.advance(50_000 * US);
  expect([machine.irqs.get(mcp.irq).total, called.length]).toEqual([total, calls]);
  expect(int()).toBe(1);
  expect(log).toEqual([]);
}

let { machine, expander, mcp, request, noteLines, int } = expanderRig();

beforeEach(() => {
  ({ machine, expander, mcp, request, noteLines, int } = expanderRig());
});

describe('freeing and disabling a line', () => {
  it('waits for its handler in the thread of the chip, which goes on with the other lines', () => {
    const seen: string[] = [];
    const irq = request(0, function* () {
      seen.push('begins');
      yield* msleep(40);
      seen.push('ends');
      return IRQ_HANDLED;
    });
    request(8, () => {
      seen.push('b0');
      return IRQ_HANDLED;
    });
    expander.board.press('a0');
    expander.board.press('b0');
    machine.advance(10 * MS);
    machine.runTask(function* () {
      yield* freeIrq(irq);
      seen.push('freed');
    });
    expander.board.release('a0');
    machine.advance(10 * MS);
    expander.board.press('a0');
    machine.advance(100 * MS);
    expect(seen).toEqual(['begins', 'ends', 'b0', 'freed']);
    expect(mcp.irqEnabled).toBe(1 << 8);
    expect(mcp.usedAsIrq).toBe(1 << 8);
  });

  it('with a level that holds leaves it off, also from its own run of the thread', () => {
    const irq = request(
      3,
      function* () {
        yield* msleep(10);
        return IRQ_HANDLED;
      },
      IRQF_TRIGGER_HIGH,
    );
    expander.device.drive(3, 1);
    machine.advance(5 * MS);
    machine.runTask(() => freeIrq(irq));
    machine.advance(20 * MS);
    const total = machine.irqs.get(mcp.irq).total;
    machine.advance(1000 * MS);
    expect(machine.irqs.get(mcp.irq).total).toBe(total);
    expect([mcp.cached(GPINTEN), int()]).toEqual([0, 1]);
  });

  it('keeps its handler away while it is disabled', () => {
    const seen = noteLines([0], BOTH);
    machine.runTask(() => disableIrq(mcp.toIrq(0)));
    expander.board.press('a0');
    machine.advance(10 * MS);
    expect(seen).toEqual([]);
    machine.runTask(function* () {
      yield* enableIrq(mcp.toIrq(0));
    });
    expander.board.release('a0');
    machine.advance(10 * MS);
    expect(linesOf(seen)).toEqual([0]);
  });

  it('comes before the chip can be let go of, whose interrupt is free then', () => {
    const irq = request(0, () => IRQ_HANDLED);
    const busy = expect.objectContaining({ code: 'EBUSY' });
    expect(() => machine.runTask(() => mcp23s08Remove(mcp))).toThrow(busy);
    machine.runTask(function* () {
      yield* freeIrq(irq);
      yield* mcp23s08Remove(mcp);
    });
    expect(machine.irqs.get(mcp.irq).actions).toEqual([]);
    expect(machine.irqs.find(irq)).toBeUndefined();
    const again = machine.runTask(() => expander.probe());
    const handler = (): typeof IRQ_HANDLED => IRQ_HANDLED;
    expect(machine.runTask(() => requestAnyContextIrq(again.toIrq(0), handler, IRQF_TRIGGER_FALLING, 'a0'))).toBe(1);
  });
});

describe('lines of an expander, any program', () => {
  it('are called while they are requested, and leave nothing on when they are freed', () => {
    fc.assert(
      fc.property(program, fc.integer({ min: 1, max: 4 }), fc.constantFrom(1, 500, 5000), (steps, cpus, workUs) => {
        play(steps, cpus, workUs);
      }),
      { numRuns: 30 },
    );
  });
});
