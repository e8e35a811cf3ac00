// Lines that are taken, changed and let go of while others are held, on the simulated chip in virtual time.
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type GpioChip,
  KernelError,
  type LineConfig,
  type LineInfoChange,
  type LineRequest,
  Machine,
  VirtualClock,
} from '../../kernel/index.js';
import { createSimulatedPi, type SimulatedPi } from '../../sim-fallback/index.js';
import { failsWith } from '../../test/contract/backend.js';
import type { KeptLines } from './kept-lines.js';
import { markedLevel, markedRest, markLevel, markRest } from './kept-record.js';
import { LastingLines, type LastingLinesOptions } from './lasting-lines.js';

const BUTTON: LineConfig = { offset: 17, direction: 'in', edge: 'both' };
const BELL: LineConfig = { offset: 18, direction: 'in', edge: 'both' };
const LED: LineConfig = { offset: 4, direction: 'out', initial: 1 };
const RELAY: LineConfig = { offset: 5, direction: 'out' };

let clock: VirtualClock;
let pi: SimulatedPi;
let told: string[];
let anew: number[];
let opened: LastingLines[];
function setUp(): void {
  clock = new VirtualClock();
  const buttons = { b: { gpio: 17, pull: 'down' }, c: { gpio: 18, pull: 'down' } } as const;
  pi = createSimulatedPi({ machine: new Machine({ clock }), board: { buttons } });
  told = [];
  anew = [];
  opened = [];
}
beforeEach(setUp);
afterEach(() => {
  for (const lines of opened) lines.close();
});

function pass(ms: number): void {
  const end = clock.now() + ms * 1e6;
  while (clock.step(end));
}

function hold(lines: readonly LineConfig[], more: Partial<LastingLinesOptions> = {}): LastingLines {
  const lasting = new LastingLines({
    chip: pi.chip.open(),
    lines,
    consumer: 'test',
    notices: {
      onGone: () => told.push('gone'),
      onBack: () => told.push('back'),
      onWaiting: (offset, why) => told.push(`${offset} ${why}`),
      onHeld: (offset) => told.push(`${offset} held`),
    },
    onAnew: (offset) => anew.push(offset),
    nameOf: (offset) => `line${offset}`,
    ...more,
  });
  opened.push(lasting);
  return lasting;
}

/** What others see of the lines from now on. */
function watch(...offsets: number[]): string[] {
  const seen: string[] = [];
  const listener = ({ kind, info }: LineInfoChange) => seen.push(`${info.offset} ${kind}`);
  const chip = pi.chip.open();
  for (const offset of offsets) chip.watchLineInfo(offset, listener);
  return seen;
}

const parkedOf = (lines: LastingLines): number[] => lines.parked.map(({ offset }) => offset);
const used = (...offsets: number[]): boolean[] => offsets.map((offset) => pi.chip.lineInfo(offset).used);

/** A chip whose calls go through `change`. */
function chipWith(change: (chip: GpioChip) => Partial<GpioChip>): GpioChip {
  const chip = pi.chip.open();
  const parts = change(chip);
  return new Proxy(chip, {
    get: (target, key) => {
      const part: unknown = Reflect.get(parts, key) ?? Reflect.get(target, key);
      return typeof part === 'function' ? part.bind(target) : part;
    },
  });
}

/** A chip whose lines cannot be changed while they are held, until it gives in. */
function refusing(error: KernelError): [chip: GpioChip, givesIn: () => void] {
  let refuses = true;
  const chip = chipWith((real) => ({
    requestLines: (options) => {
      const request = real.requestLines(options);
      const reconfigure = request.reconfigure.bind(request);
      request.reconfigure = (lines) => {
        if (refuses) throw error;
        reconfigure(lines);
      };
      return request;
    },
  }));
  const givesIn = (): void => {
    refuses = false;
  };
  return [chip, givesIn];
}

describe('an update', () => {
  it('touches only what has changed: nobody who watches the other lines sees anything', () => {
    const lines = hold([BUTTON, LED, RELAY]);
    pass(1);
    const seen = watch(17, 4, 5, 6);
    lines.update([{ ...BUTTON }, { ...LED, initial: 0 }, { offset: 6, direction: 'in' }]);
    pass(1);
    expect(seen).toEqual(['5 released', '6 requested']);
    expect(lines.getValue(4)).toBe(1);
    expect(anew).toEqual([17, 4, 5, 6]);
    failsWith('EINVAL', () => lines.setValue(5, 1));
  });

  it('changes a line while it is held, and its output keeps its level, whichever way round it is called', () => {
    const lines = hold([LED, RELAY]);
    lines.setValue(4, 1);
    const seen = watch(4);
    lines.update([{ ...LED, activeLow: true }, RELAY]);
    pass(1);
    expect([seen, lines.getValue(4), pi.pinctrl.level(4)]).toEqual([['4 reconfigured'], 0, 1]);
    expect(anew).toEqual([4, 5]);
  });

  it('parks a line whose request has others, and takes it into use again without asking the kernel for it', () => {
    const lines = hold([BUTTON, BELL]);
    const seen: number[] = [];
    lines.onEdges((batch) => {
      for (let i = 0; i < batch.count; i++) seen.push(batch.offset(i));
    });
    pass(1);
    lines.update([BUTTON]);
    pass(1);
    expect([parkedOf(lines), used(17, 18), pi.chip.lineInfo(18).edge]).toEqual([[18], [true, true], 'none']);
    failsWith('EINVAL', () => lines.getValue(18));
    pi.board.press('c', { holdNs: 1e6, bounce: false });
    pi.board.press('b', { holdNs: 1e6, bounce: false });
    pass(10);
    expect(seen).toEqual([17, 17]);
    lines.update([BELL, BUTTON]);
    pass(1);
    pi.board.press('c', { holdNs: 1e6, bounce: false });
    pass(10);
    expect([parkedOf(lines), seen, anew]).toEqual([[], [17, 17, 18, 18], [17, 18]]);
  });

  it('lets a request go when the last of its lines is', () => {
    const lines = hold([BUTTON, BELL, LED]);
    lines.update([BELL, LED]);
    lines.update([LED]);
    expect([parkedOf(lines), used(17, 18, 4)]).toEqual([[], [false, false, true]]);
  });

  it('waits for a line that somebody else has, and takes it as it is wanted by then', () => {
    const other = pi.chip.open().requestLines({ lines: [RELAY], consumer: 'w1-gpio' });
    const lines = hold([LED]);
    lines.update([LED, RELAY]);
    expect(told).toEqual(["5 held by 'w1-gpio'"]);
    lines.update([LED, { ...RELAY, initial: 1 }]);
    expect(told).toHaveLength(1);
    other.release();
    pass(1);
    expect([told.at(-1), lines.getValue(5), lines.problem]).toEqual(['5 held', 1, undefined]);
  });

  it('waits no more for a line that is not wanted any more', () => {
    const other = pi.chip.open().requestLines({ lines: [RELAY], consumer: 'w1-gpio' });
    const lines = hold([LED, RELAY]);
    lines.update([LED]);
    expect(lines.problem).toBeUndefined();
    other.release();
    pass(1);
    expect([told, used(5)]).toEqual([["5 held by 'w1-gpio'"], [false]]);
  });

  it('leaves a line that is refused as it was, says so, and asks again at the next', () => {
    const [chip, givesIn] = refusing(new KernelError('EINVAL', 'no pull on this line'));
    const lines = hold([BUTTON, LED], { chip });
    const wanted: LineConfig[] = [{ ...BUTTON, edge: 'rising' }, LED, RELAY];
    lines.update(wanted);
    expect(lines.problem).toBe('line17 is still as it was: no pull on this line');
    expect([pi.chip.lineInfo(17).edge, used(5)]).toEqual(['both', [true]]);
    givesIn();
    lines.update(wanted);
    pass(1);
    expect([lines.problem, pi.chip.lineInfo(17).edge]).toEqual([undefined, 'rising']);
  });

  it('leaves a line that cannot be parked as it was, says so, and parks it at the next', () => {
    const [chip, givesIn] = refusing(new KernelError('EIO', 'the expander does not answer'));
    const lines = hold([BUTTON, BELL, LED], { chip });
    lines.update([BUTTON, RELAY]);
    pass(1);
    expect(lines.problem).toBe('line18 is still as it was: the expander does not answer');
    expect([used(4, 5), parkedOf(lines), pi.chip.lineInfo(18).edge]).toEqual([[false, true], [18], 'both']);
    givesIn();
    lines.update([BUTTON, RELAY]);
    pass(1);
    expect([lines.problem, parkedOf(lines), pi.chip.lineInfo(18).edge]).toEqual([undefined, [18], 'none']);
  });

  it('takes all others when one is refused, and that one when it is wanted in another way', () => {
    const chip = chipWith((real) => ({
      requestLines: (options) => {
        if (options.lines.some(({ bias }) => bias === 'pull-up')) throw new KernelError('ENOTSUP', 'sim: no bias');
        return real.requestLines(options);
      },
    }));
    const lines = hold([LED], { chip });
    lines.update([LED, { ...BUTTON, bias: 'pull-up' }, BELL, RELAY]);
    pass(1);
    expect([used(17, 18, 5), lines.problem]).toEqual([[false, true, true], 'line17 is refused: sim: no bias']);
    failsWith('EBUSY', () => lines.getValue(17));
    lines.update([LED, BUTTON, BELL, RELAY]);
    pass(1);
    expect([used(17), lines.problem]).toEqual([[true], undefined]);
  });

  it('lets a line go for a change where the driver cannot change it in place, and no other with it', () => {
    const chip = chipWith((real) => ({ capabilities: { ...real.capabilities, reconfigure: false } }));
    const lines = hold([BUTTON, BELL, LED], { chip });
    pass(1);
    lines.setValue(4, 0);
    const seen = watch(17, 18, 4);
    lines.update([{ ...BUTTON, edge: 'rising' }, BELL, { ...LED, activeLow: true }]);
    pass(1);
    expect(seen.sort()).toEqual(['17 released', '17 requested', '4 released', '4 requested']);
    expect([lines.getValue(4), pi.pinctrl.level(4)]).toEqual([1, 0]);
  });

  it('while the chip is gone counts from when it is back', () => {
    const lines = hold([BUTTON, LED]);
    pi.chip.unplug();
    pass(1);
    lines.update([LED, RELAY]);
    expect(told).toEqual(['gone']);
    expect(lines.waitingFor(5)).toBe('the chip is gone');
  });
});

describe('lines that were held before', () => {
  it('are kept, made what they are to be, and let go of when they are not wanted', () => {
    const chip = pi.chip.open();
    const inputs = chip.requestLines({ lines: [BUTTON, BELL], consumer: 'test' });
    const led = chip.requestLines({ lines: [LED], consumer: 'test' });
    const relay = chip.requestLines({ lines: [RELAY], consumer: 'test' });
    pass(1);
    const seen = watch(17, 18, 4, 5, 6);
    const lines = hold([{ ...BUTTON, edge: 'rising' }, LED, { offset: 6, direction: 'in' }], {
      chip,
      held: [
        { request: inputs, lines: [BUTTON, BELL] },
        { request: led, lines: [LED] },
        { request: relay, lines: [RELAY] },
      ],
    });
    pass(1);
    expect(seen.sort()).toEqual(['17 reconfigured', '18 reconfigured', '5 released', '6 requested']);
    expect([parkedOf(lines), lines.getValue(4), anew]).toEqual([[18], 1, [6]]);
  });
});

describe('requests that the next process goes on with', () => {
  /** Keeps nothing; its marks are there for all to see. */
  function keeper() {
    const marks = new Map<number, Uint32Array>();
    const calls: string[] = [];
    const markOf = (_: LineRequest, offset: number): Uint32Array => {
      const mark = marks.get(offset) ?? new Uint32Array(4);
      marks.set(offset, mark);
      return mark;
    };
    const note = (what: string) => () => void calls.push(what);
    const kept = {
      markOf,
      keep: note('keep'),
      drop: note('drop'),
      reconfigured: note('reconfigured'),
      pause: note('pause'),
    };
    return {
      kept: kept as unknown as KeptLines,
      calls,
      mark: (offset: number) => marks.get(offset) ?? new Uint32Array(4),
    };
  }

  it('are kept when they are taken, told of changes, and dropped when they are let go of, not when the service ends', () => {
    const { kept, calls } = keeper();
    const lines = hold([BUTTON, LED], { kept });
    lines.update([{ ...BUTTON, edge: 'rising' }]);
    lines.pause();
    lines.close();
    expect(calls).toEqual(['keep', 'keep', 'drop', 'reconfigured', 'pause']);
    hold([BUTTON, LED], { kept }).close(true);
    expect(calls.slice(5)).toEqual(['keep', 'keep', 'drop', 'drop']);
  });

  it('have the level that an output was given last, also after its polarity changed', () => {
    const { kept, mark } = keeper();
    const lines = hold([LED], { kept });
    lines.setValue(4, 1);
    expect(markedLevel(mark(4))).toBe(1);
    lines.update([{ ...LED, activeLow: true }]);
    expect(markedLevel(mark(4))).toBe(0);
    lines.update([{ offset: 4, direction: 'in' }]);
    expect(markedLevel(mark(4))).toBeUndefined();
  });

  it('end the pulses that the process before has left, before anything else', () => {
    const { kept, mark } = keeper();
    const chip = pi.chip.open();
    const led = chip.requestLines({ lines: [LED], consumer: 'test' });
    led.setValue(4, 1);
    kept.markOf(led, 4);
    markRest(mark(4), 0);
    markLevel(mark(4), 1);
    const lines = hold([LED], { kept, chip, held: [{ request: led, lines: [LED] }] });
    expect([lines.getValue(4), markedLevel(mark(4)), markedRest(mark(4))]).toEqual([0, 0, undefined]);
    lines.noteRest(4, 0);
    expect(markedRest(mark(4))).toBe(0);
  });
});

/** Lines of four offsets in any way. */
const wanted = fc.uniqueArray(
  fc.oneof(
    fc.record({
      offset: fc.constantFrom(4, 5, 17, 18),
      direction: fc.constant('in' as const),
      edge: fc.constantFrom('none' as const, 'rising' as const, 'both' as const),
      activeLow: fc.boolean(),
    }),
    fc.record({
      offset: fc.constantFrom(4, 5, 17, 18),
      direction: fc.constant('out' as const),
      activeLow: fc.boolean(),
      drive: fc.constantFrom('push-pull' as const, 'open-drain' as const),
    }),
  ),
  { selector: ({ offset }) => offset },
);

describe('any sequence of updates', () => {
  it('leaves each line as the last one wants it, the rest free or parked, and unchanged lines untouched', () => {
    fc.assert(
      fc.property(fc.array(wanted, { minLength: 2, maxLength: 8 }), ([first = [], ...rest]) => {
        setUp();
        const lines = hold(first);
        pass(1);
        let before: readonly LineConfig[] = first;
        for (const next of rest) {
          const seen = watch(4, 5, 17, 18);
          const parked = parkedOf(lines);
          lines.update(next);
          pass(1);
          for (const line of next) {
            const was = before.find(({ offset }) => offset === line.offset);
            // It may be wanted just as it was parked.
            if (was === undefined && parked.includes(line.offset)) continue;
            const touched = seen.some((text) => text.startsWith(`${line.offset} `));
            expect(touched).toBe(was === undefined || JSON.stringify(was) !== JSON.stringify(line));
          }
          before = next;
        }
        for (const offset of [4, 5, 17, 18]) {
          const want = before.find((line) => line.offset === offset);
          const { used: taken, direction, edge, activeLow, drive } = pi.chip.lineInfo(offset);
          if (want === undefined) expect([taken, edge]).toEqual([parkedOf(lines).includes(offset), 'none']);
          else {
            expect({ taken, direction, edge, activeLow, drive }).toEqual({
              ...{ taken: true, edge: 'none', drive: 'push-pull' },
              ...{ ...want, offset: undefined },
              offset: undefined,
            });
          }
        }
        lines.close();
        expect(used(4, 5, 17, 18)).toEqual([false, false, false, false]);
      }),
      { numRuns: 150 },
    );
  });
});
