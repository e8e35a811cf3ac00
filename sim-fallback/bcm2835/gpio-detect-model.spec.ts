// The event detectors of the GPIO block against a slow and obvious model, under any program.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as reg from './gpio.js';
import { type GpioRig, gpioRig } from './gpio.spec-helper.js';
import type { PadLevel } from './pads.js';

/** One line, sampled tick by tick: the slow and obvious model that the block must agree with. */
class PlainLine {
  level: PadLevel = 0;
  status = false;
  readonly on = { ren: false, fen: false, hen: false, len: false, aren: false, afen: false };
  #samples: [PadLevel, PadLevel] = [0, 0];

  drive(level: PadLevel): void {
    if (level !== this.level && (level === 1 ? this.on.aren : this.on.afen)) this.status = true;
    this.level = level;
    this.hold();
  }

  hold(): void {
    if (this.level === 1 ? this.on.hen : this.on.len) this.status = true;
  }

  sample(): void {
    const pattern = `${this.#samples[0]}${this.#samples[1]}${this.level}`;
    if ((pattern === '011' && this.on.ren) || (pattern === '100' && this.on.fen)) this.status = true;
    this.#samples = [this.#samples[1], this.level];
  }
}

const DETECTORS = {
  ren: [reg.GPREN0, reg.GPREN1],
  fen: [reg.GPFEN0, reg.GPFEN1],
  hen: [reg.GPHEN0, reg.GPHEN1],
  len: [reg.GPLEN0, reg.GPLEN1],
  aren: [reg.GPAREN0, reg.GPAREN1],
  afen: [reg.GPAFEN0, reg.GPAFEN1],
} as const;
type Detector = keyof typeof DETECTORS;
const detectorNames = Object.keys(DETECTORS) as Detector[];
/** Lines at the ends of banks and words, all low after reset. */
const LINES = [9, 27, 31, 32, 45, 53];

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('drive'), level: fc.constantFrom<PadLevel>(0, 1) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('wait'), ns: fc.integer({ min: 1, max: 20 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('enable'),
      detector: fc.constantFrom(...detectorNames),
      on: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('clear') }) },
);
type Step = { do: string; level?: PadLevel; ns?: number; detector?: Detector; on?: boolean };
const program = fc.array(fc.tuple(fc.integer({ min: 0, max: LINES.length - 1 }), step), { maxLength: 80 });

describe('GPIO event detection, any program', () => {
  function play(steps: [number, Step][], check: (rig: GpioRig, plain: PlainLine[]) => void): void {
    const rig = gpioRig();
    const plain = LINES.map(() => new PlainLine());
    for (const [index, what] of steps) {
      const line = LINES[index] ?? 0;
      const model = plain[index] ?? new PlainLine();
      const word = line < 32 ? 0 : 1;
      const bit = (1 << (line & 31)) >>> 0;
      if (what.level !== undefined) {
        rig.gpio.drive(line, what.level);
        model.drive(what.level);
      } else if (what.ns !== undefined) {
        for (let ns = 1; ns <= what.ns; ns++) {
          if ((rig.clock.now() + ns) % reg.SAMPLE_NS === 0) for (const each of plain) each.sample();
        }
        rig.clock.advance(what.ns);
      } else if (what.detector !== undefined) {
        const register = DETECTORS[what.detector][word];
        const before = rig.gpio.read32(register);
        rig.gpio.write32(register, what.on ? before | bit : before & ~bit);
        model.on[what.detector] = what.on ?? false;
        model.hold();
      } else {
        rig.gpio.write32(word === 0 ? reg.GPEDS0 : reg.GPEDS1, bit);
        model.status = false;
        model.hold();
      }
      check(rig, plain);
    }
  }

  const statusOf = (gpio: reg.Bcm2835Gpio, line: number) =>
    ((gpio.read32(line < 32 ? reg.GPEDS0 : reg.GPEDS1) >>> (line & 31)) & 1) === 1;

  it('latches what a line sampled tick by tick latches, and raises the banks of exactly those lines', () => {
    fc.assert(
      fc.property(program, (steps) => {
        play(steps, ({ gpio, irqs }, plain) => {
          // The interrupts first: reading a register would make the block catch up, with or without its alarm.
          const banks = [0, 1, 2, 3].filter((bank) => irqs.findLast(([changed]) => changed === bank)?.[1] === true);
          const wanted = LINES.filter((_, i) => plain[i]?.status);
          const bankOf = (line: number) => (line < 28 ? 0 : line < 46 ? 1 : 2);
          const wantedBanks = new Set<number>(wanted.map(bankOf));
          if (wanted.length > 0) wantedBanks.add(3);
          expect(banks).toEqual([...wantedBanks].sort());
          expect(LINES.filter((line) => statusOf(gpio, line))).toEqual(wanted);
        });
      }),
      { numRuns: 300 },
    );
  });

  it('tells every change of an interrupt output once', () => {
    fc.assert(
      fc.property(program, (steps) => {
        play(steps, ({ irqs }) => {
          for (const bank of [0, 1, 2, 3]) {
            const levels = irqs.filter(([changed]) => changed === bank).map(([, asserted]) => asserted);
            expect(levels).toEqual(levels.map((_, i) => i % 2 === 0));
          }
        });
      }),
    );
  });

  it('sets status bits only of lines with a detector enabled since the last clear', () => {
    fc.assert(
      fc.property(program, (steps) => {
        const armed = new Set<number>();
        let at = 0;
        play(steps, ({ gpio }, plain) => {
          const [index = 0, what]: [number?, Step?] = steps[at++] ?? [];
          if (what?.on === true) armed.add(index);
          for (const [i, line] of LINES.entries()) if (statusOf(gpio, line)) expect(armed.has(i)).toBe(true);
          const model = plain[index];
          if (what?.do === 'clear' && model && !Object.values(model.on).includes(true)) armed.delete(index);
        });
      }),
    );
  });

  it('latches no edge twice: once cleared, a steady line stays clear', () => {
    const edgesOnly = program.map((steps) =>
      steps.filter(([, what]) => !('detector' in what) || !['hen', 'len'].includes(what.detector)),
    );
    fc.assert(
      fc.property(edgesOnly, (steps) => {
        let last: GpioRig | undefined;
        play(steps, (rig) => {
          last = rig;
        });
        if (last === undefined) return;
        const { gpio, clock } = last;
        clock.advance(2 * reg.SAMPLE_NS);
        gpio.write32(reg.GPEDS0, 0xffff_ffff);
        gpio.write32(reg.GPEDS1, 0xffff_ffff);
        clock.advance(1_000_000);
        expect([gpio.read32(reg.GPEDS0), gpio.read32(reg.GPEDS1)]).toEqual([0, 0]);
        expect(clock.nextDueNs).toBe(Number.POSITIVE_INFINITY);
      }),
    );
  });
});
