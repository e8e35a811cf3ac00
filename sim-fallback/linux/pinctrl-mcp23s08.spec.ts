// Lines behind an I2C expander: nested in the thread of its interrupt, with a bus in between that takes time.
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  context,
  current,
  freeIrq,
  IRQ_HANDLED,
  IRQ_NONE,
  IRQF_TRIGGER_FALLING,
  IRQF_TRIGGER_HIGH,
  IRQF_TRIGGER_LOW,
  IRQF_TRIGGER_RISING,
  msleep,
  requestAnyContextIrq,
  requestIrq,
  requestThreadedIrq,
  showInterrupts,
} from '../../kernel/index.js';
import { type ExpanderRigOptions, expanderRig, linesOf, MS, SERVICE_NS, US } from './expander.spec-helper.js';
import {
  mcp23s08DirectionInput,
  mcp23s08DirectionOutput,
  mcp23s08Get,
  mcp23s08GetMultiple,
  mcp23s08Set,
  mcp23s08SetMultiple,
  mcp23s08SetPullUp,
} from './pinctrl-mcp23s08.js';

const FALLING = IRQF_TRIGGER_FALLING;
const BOTH = IRQF_TRIGGER_FALLING | IRQF_TRIGGER_RISING;

let { log, machine, pi, expander, mcp, request, noteLines, countHighs, int } = expanderRig();

function setUp(options: ExpanderRigOptions = {}): void {
  ({ log, machine, pi, expander, mcp, request, noteLines, countHighs, int } = expanderRig(options));
}

beforeEach(() => setUp());

describe('a request', () => {
  it('for any context is nested behind the expander, and a hard interrupt on the Pi itself', () => {
    const handler = (): typeof IRQ_HANDLED => IRQ_HANDLED;
    machine.runTask(function* () {
      expect(yield* requestAnyContextIrq(pi.pinctrl.toIrq(17), handler, FALLING, 'direct')).toBe(0);
      expect(yield* requestAnyContextIrq(mcp.toIrq(0), handler, FALLING, 'a0')).toBe(1);
    });
  });

  it('with a hard handler alone is refused: EINVAL', () => {
    expect(() => machine.runTask(() => requestIrq(mcp.toIrq(0), () => IRQ_HANDLED, FALLING, 'a0'))).toThrow(
      expect.objectContaining({ code: 'EINVAL' }),
    );
    expect(mcp.usedAsIrq).toBe(0);
  });

  it('with both runs the thread function only', () => {
    const seen: string[] = [];
    const top = (): typeof IRQ_HANDLED => {
      seen.push('top half');
      return IRQ_HANDLED;
    };
    const thread = (): typeof IRQ_HANDLED => {
      seen.push('thread');
      return IRQ_HANDLED;
    };
    machine.runTask(() => requestThreadedIrq(mcp.toIrq(0), top, thread, FALLING, 'a0'));
    expander.board.press('a0');
    machine.advance(10 * MS);
    expect(seen).toEqual(['thread']);
  });

  it('of an output is refused, and an interrupt cannot become an output: EIO', () => {
    machine.runTask(() => mcp23s08DirectionOutput(mcp, 4, 0));
    expect(() => request(4, () => IRQ_HANDLED)).toThrow(expect.objectContaining({ code: 'EIO' }));
    expect(log).toContain('err: mcp230xx 1-0020: unable to lock HW IRQ 4 for IRQ');
    const irq = request(0, () => IRQ_HANDLED);
    expect(() => machine.runTask(() => mcp23s08DirectionOutput(mcp, 0, 0))).toThrow(/tied to an IRQ/);
    machine.runTask(() => freeIrq(irq));
    machine.runTask(() => mcp23s08DirectionOutput(mcp, 0, 0));
  });
});

describe('a handler', () => {
  it('runs in the thread of the interrupt of the chip, once the bus has told what happened, and may sleep', () => {
    const seen: unknown[] = [];
    request(0, function* () {
      seen.push([context(), current().comm, machine.clock.now()]);
      yield* msleep(10);
      seen.push('slept');
      return IRQ_HANDLED;
    });
    const pressed = machine.clock.now();
    expander.board.press('a0');
    machine.advance(100 * MS);
    expect(seen).toEqual([['task', `irq/${mcp.irq}-1-0020`, pressed + SERVICE_NS], 'slept']);
    expect(log).toEqual([]);
  });

  it('is called for the edges that were requested, and for no other line', () => {
    const seen = noteLines([0], BOTH);
    noteLines([7], IRQF_TRIGGER_RISING);
    for (const name of ['a0', 'a7', 'b0']) {
      expander.board.press(name, { holdNs: 10 * MS });
      machine.advance(20 * MS);
    }
    const [first = 0, second = 0] = seen.map(([, ms]) => ms);
    expect([seen.length, second - first]).toEqual([2, 10]);
    expect(int()).toBe(1);
  });

  it('of a level is called for as long as the level holds', () => {
    let calls = 0;
    expander.device.drive(3, 0);
    const handler = (): typeof IRQ_HANDLED => {
      calls += 1;
      if (calls === 3) expander.device.drive(3, 1);
      return IRQ_HANDLED;
    };
    request(3, handler, IRQF_TRIGGER_LOW);
    machine.advance(100 * MS);
    expect(calls).toBe(3);
    expander.device.drive(3, 0);
    machine.advance(4 * MS);
    expect(calls).toBeGreaterThan(3);
  });

  it('of a level leaves the output of the chip to the other lines while it runs', () => {
    const seen: [string, number][] = [];
    request(
      3,
      function* () {
        seen.push(['level', int()]);
        yield* msleep(20);
        expander.device.drive(3, 0);
        return IRQ_HANDLED;
      },
      IRQF_TRIGGER_HIGH,
    );
    request(8, () => {
      seen.push(['b0', int()]);
      return IRQ_HANDLED;
    });
    expander.device.drive(3, 1);
    machine.advance(10 * MS);
    expander.board.press('b0');
    expect(int()).toBe(0);
    machine.advance(100 * MS);
    expect(seen).toEqual([
      ['level', 1],
      ['b0', 1],
    ]);
  });

  it('of a high level too', () => {
    const calls = countHighs(3);
    machine.advance(100 * MS);
    expect(calls()).toBe(0);
    expander.device.drive(3, 1);
    machine.advance(100 * MS);
    expect(calls()).toBe(1);
  });

  it('that disowns its interrupts does not make the line of the chip one that nobody wants', () => {
    request(3, () => IRQ_NONE, IRQF_TRIGGER_HIGH);
    expander.device.drive(3, 1);
    machine.advance(1000 * MS);
    expander.device.drive(3, 0);
    machine.advance(10 * MS);
    expect(log).toEqual([]);
    const seen = noteLines([8]);
    expander.board.press('b0');
    machine.advance(10 * MS);
    expect(linesOf(seen)).toEqual([8]);
  });
});

describe('changes at the same time', () => {
  it('on both ports are handled in one run of the thread, lowest line first', () => {
    const seen = noteLines([0, 7, 8, 15]);
    for (const name of ['b7', 'a7', 'b0', 'a0']) expander.board.press(name);
    machine.advance(10 * MS);
    expect(linesOf(seen)).toEqual([0, 7, 8, 15]);
    expect(machine.irqs.get(mcp.irq).total).toBe(1);
  });

  it('while the interrupt is being read are seen by the read', () => {
    const seen = noteLines([0, 7]);
    expander.board.press('a0');
    machine.advance(SERVICE_NS - 100 * US);
    expander.board.press('a7');
    machine.advance(10 * MS);
    expect(linesOf(seen)).toEqual([0, 7]);
  });

  it('of one line, back before they are read, are one edge, the last', () => {
    const seen = noteLines([0], BOTH);
    const others = noteLines([7], FALLING);
    for (const name of ['a0', 'a7']) {
      expander.board.press(name, { holdNs: 500 * US });
      machine.advance(10 * MS);
    }
    expect([linesOf(seen), linesOf(others)]).toEqual([[0], []]);
  });

  it('while handlers run are not lost, neither of another line nor of the same', () => {
    const seen: string[] = [];
    request(
      0,
      function* () {
        seen.push('a0');
        yield* msleep(50);
        return IRQ_HANDLED;
      },
      BOTH,
    );
    request(8, () => {
      seen.push('b0');
      return IRQ_HANDLED;
    });
    expander.board.press('a0', { holdNs: 20 * MS });
    machine.advance(10 * MS);
    expander.board.press('b0');
    machine.advance(200 * MS);
    expect(seen).toEqual(['a0', 'a0', 'b0']);
    expect(int()).toBe(1);
  });

  it('are each a call, as long as they leave the bus its time; and at rest nothing is left, however they came', () => {
    const change = fc.record({ line: fc.constantFrom(0, 3, 7, 8, 15), gapUs: fc.integer({ min: 1, max: 6000 }) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), fc.integer({ min: 1, max: 4 }), (changes, cpus) => {
        setUp({ board: {}, cpus });
        const lines = [0, 3, 7, 8, 15];
        const seen = noteLines(lines, BOTH);
        const levels = new Map<number, 0 | 1>();
        let slow = true;
        for (const { line, gapUs } of changes) {
          const level = levels.get(line) === 1 ? 0 : 1;
          levels.set(line, level);
          expander.device.drive(line, level);
          machine.advance(gapUs * US);
          if (gapUs * US <= 2 * SERVICE_NS) slow = false;
        }
        machine.advance(20 * MS);
        for (const line of lines) {
          const made = changes.filter((each) => each.line === line).length;
          const called = linesOf(seen).filter((each) => each === line).length;
          expect(called).toBeLessThanOrEqual(made);
          expect(called).toBeGreaterThanOrEqual(made % 2);
          expect((mcp.cachedGpio >> line) & 1).toBe(expander.device.level(line));
        }
        if (slow) expect(linesOf(seen)).toEqual(changes.map(({ line }) => line));
        expect(int()).toBe(1);
        expect(log).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });
});

describe('pins', () => {
  it('are read and set over the bus', () => {
    const led = expander.board.led('led');
    machine.runTask(function* () {
      expect(yield* mcp23s08Get(mcp, 0)).toBe(1);
      yield* mcp23s08DirectionOutput(mcp, 4, 1);
      expect(led.lit).toBe(true);
      yield* mcp23s08Set(mcp, 4, 0);
      expect(led.lit).toBe(false);
      yield* mcp23s08SetMultiple(mcp, 0x30, 0x10);
      expect(led.lit).toBe(true);
      expect(yield* mcp23s08GetMultiple(mcp)).toBe(0x8191);
      yield* mcp23s08DirectionInput(mcp, 4);
      expect(led.lit).toBe(false);
    });
  });

  it('that are pulled up by the chip make an interrupt of the first press', () => {
    setUp({ board: { buttons: { bare: { gpio: 2, pull: 'none' } } } });
    machine.runTask(() => mcp23s08SetPullUp(mcp, 2, true));
    const seen = noteLines([2]);
    expander.board.press('bare');
    machine.advance(10 * MS);
    expect(linesOf(seen)).toEqual([2]);
  });

  it('are 16: EINVAL for others', () => {
    expect(() => machine.runTask(() => mcp23s08Get(mcp, 16))).toThrow(expect.objectContaining({ code: 'EINVAL' }));
    expect(() => mcp.toIrq(16)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  });
});

describe('the interrupt output', () => {
  it.each<[string, ExpanderRigOptions, number]>([
    ['active low', {}, 1],
    ['active high', { activeHigh: true }, 0],
    ['open drain with a pull-up', { openDrain: true }, 1],
  ])('works %s', (_, options, atRest) => {
    setUp(options);
    expect(int()).toBe(atRest);
    const seen = noteLines([0, 15]);
    expander.board.press('a0');
    expect(int()).toBe(1 - atRest);
    machine.advance(10 * MS);
    expander.board.press('b7');
    machine.advance(10 * MS);
    expect([linesOf(seen), int()]).toEqual([[0, 15], atRest]);
  });
});

describe('/proc/interrupts', () => {
  it('shows the interrupt of the chip, and its lines behind it', () => {
    noteLines([15]);
    expander.board.press('b7');
    machine.advance(10 * MS);
    const rows = showInterrupts(machine)
      .split('\n')
      .map((row) => row.trim().split(/\s+/));
    expect(rows).toContainEqual([`${mcp.irq}:`, '1', 'pinctrl-bcm2835', '25', 'Level', '1-0020']);
    expect(rows).toContainEqual([`${mcp.toIrq(15)}:`, '1', '1-0020', '15', 'Edge', 'line15']);
  });
});
