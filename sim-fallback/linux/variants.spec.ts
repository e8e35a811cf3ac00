// The same lines on every chip: whatever controllers are between a pad and its handler, the handlers see the same.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  disableIrqNosync,
  enableIrq,
  IRQ_HANDLED,
  IRQ_WAKE_THREAD,
  IRQF_TRIGGER_FALLING,
  IRQF_TRIGGER_HIGH,
  IRQF_TRIGGER_RISING,
  Machine,
  requestThreadedIrq,
  udelay,
} from '../../kernel/index.js';
import type { SocName } from '../bcm2835/soc.js';
import { createSimulatedPi } from './simulated-pi.js';

const CHIPS: readonly SocName[] = ['bcm2835', 'bcm2836', 'bcm2837', 'bcm2711'];
/** Of all three banks, and of both words of the second. */
const LINES = [3, 27, 28, 40, 50] as const;
const TYPES = [
  IRQF_TRIGGER_RISING,
  IRQF_TRIGGER_FALLING,
  IRQF_TRIGGER_RISING | IRQF_TRIGGER_FALLING,
  IRQF_TRIGGER_HIGH,
] as const;

const step = fc.oneof(
  fc.record({ what: fc.constant('drive' as const), line: fc.constantFrom(...LINES), level: fc.constantFrom(0, 1) }),
  fc.record({ what: fc.constant('together' as const), level: fc.constantFrom(0, 1) }),
  fc.record({ what: fc.constant('wait' as const), ns: fc.nat({ max: 20_000 }) }),
  fc.record({ what: fc.constant('disable' as const), line: fc.constantFrom(...LINES) }),
  fc.record({ what: fc.constant('enable' as const), line: fc.constantFrom(...LINES) }),
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** What the handlers and threads of a chip's lines have seen, and when. */
function run(soc: SocName, types: readonly number[], steps: readonly Step[]): unknown[] {
  const seen: unknown[] = [];
  const machine = new Machine({
    printk: (_, text) => (soc === 'bcm2711' && text.startsWith('GIC: Using')) || seen.push(text),
  });
  const pi = createSimulatedPi({ machine, board: {}, soc });
  const disabled = new Set<number>();
  for (const line of LINES) pi.board.drive(line, 0);
  machine.advance(1_000);
  for (const [index, line] of LINES.entries()) {
    const note = (what: string): void => {
      seen.push([what, line, machine.clock.now(), pi.pinctrl.level(line), { ...pi.pinctrl.edge }]);
    };
    const top = function* () {
      note('top half');
      yield* udelay(1);
      // A level is over when its device was told; its thread does not matter here.
      if (types[index] === IRQF_TRIGGER_HIGH) pi.board.drive(line, 0);
      return index % 2 === 0 ? IRQ_WAKE_THREAD : IRQ_HANDLED;
    };
    const thread = () => {
      note('thread');
      return IRQ_HANDLED;
    };
    const irq = pi.pinctrl.toIrq(line);
    machine.runTask(() => requestThreadedIrq(irq, top, thread, types[index] ?? 0, `line${line}`));
  }
  for (const next of steps) {
    if (next.what === 'wait') machine.advance(next.ns);
    else if (next.what === 'drive') pi.board.drive(next.line, next.level);
    else if (next.what === 'together') {
      machine.batch(() => {
        for (const line of LINES) pi.board.drive(line, next.level);
      });
    } else if (next.what === 'disable') {
      disabled.add(next.line);
      machine.runTask(() => disableIrqNosync(pi.pinctrl.toIrq(next.line)));
    } else if (disabled.delete(next.line)) {
      machine.runTask(() => enableIrq(pi.pinctrl.toIrq(next.line)));
    }
  }
  machine.advance(1_000_000);
  return seen;
}

describe('every chip', () => {
  it('gives handlers and threads the same interrupts, at the same times, over random edges, levels and masks', () => {
    fc.assert(
      fc.property(
        fc.tuple(...LINES.map(() => fc.constantFrom(...TYPES))),
        fc.array(step, { maxLength: 25 }),
        (types, steps) => {
          const [first = 'bcm2835', ...others] = CHIPS;
          const expected = run(first, types, steps);
          for (const soc of others) expect(run(soc, types, steps), soc).toEqual(expected);
        },
      ),
      { numRuns: 40 },
    );
  });
});
