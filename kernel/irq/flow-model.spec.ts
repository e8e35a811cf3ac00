// Random interrupts, nested ones, enables and disables on each flow, against what must hold whatever the order.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { thisCpu } from '../sched/current.js';
import { udelay } from '../time/delay.js';
import { fakeLines } from './fake-line.spec-helper.js';
import { IRQ_HANDLED, type IrqReturn } from './flags.js';
import { handleEdgeEoiIrq, handleEdgeIrq, handleFasteoiIrq, handleLevelIrq, handleSimpleIrq } from './flow.js';
import type { FlowHandler, IrqHandler } from './irqdesc.js';
import { disableIrqNosync, enableIrq } from './manage.js';
import { requestIrq } from './request.js';

const FLOWS = {
  edge: handleEdgeIrq,
  'edge eoi': handleEdgeEoiIrq,
  level: handleLevelIrq,
  fasteoi: handleFasteoiIrq,
  simple: handleSimpleIrq,
} as const;
/** Flows that keep what comes during the handler. */
const KEEPING: readonly string[] = ['edge', 'edge eoi'];

type Step =
  | { readonly what: 'pulse'; readonly cpu: number }
  | { readonly what: 'disable' | 'enable' | 'nest' | 'slow' | 'wait' | 'settle' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ what: fc.constant<'pulse'>('pulse'), cpu: fc.nat(1) }) },
  {
    weight: 5,
    arbitrary: fc.record({ what: fc.constantFrom('disable', 'enable', 'nest', 'slow', 'wait', 'settle') }),
  },
);

/** A line whose hardware has a mask of its own, and counts what gets past it. */
class Rig {
  /** New interrupts that reached the flow; those that came again do not count. */
  delivered = 0;
  runs = 0;
  /** Handlers of the line that are under way, and the most that ever were. */
  active = 0;
  most = 0;
  masked = true;
  depth = 0;
  #slow = false;
  #nest = 0;
  readonly lines;

  constructor(flow: FlowHandler, retrigger: boolean) {
    this.lines = fakeLines({
      flow,
      cpus: 2,
      eoi: true,
      chip: {
        mask: () => this.#setMasked(true),
        unmask: () => this.#setMasked(false),
        maskAck: () => this.#setMasked(true),
        retrigger: retrigger ? () => this.#again() : undefined,
      },
    });
    const handler: IrqHandler = () => this.#handle();
    this.lines.machine.runTask(() => requestIrq(this.lines.irq, handler, 0, 'd'));
  }

  #setMasked(masked: boolean): void {
    this.masked = masked;
  }

  #again(): boolean {
    thisCpu().callFunction(() => this.lines.domain.handle(3));
    return true;
  }

  #deliver(): 0 | -1 {
    if (this.masked) return 0;
    this.delivered++;
    return this.lines.domain.handle(3);
  }

  #handle(): IrqReturn | Generator<number, IrqReturn> {
    this.runs++;
    this.active++;
    this.most = Math.max(this.most, this.active);
    for (; this.#nest > 0; this.#nest--) this.#deliver();
    if (this.#slow) return this.#takeTime();
    this.active--;
    return IRQ_HANDLED;
  }

  *#takeTime(): Generator<number, IrqReturn> {
    yield* udelay(10);
    this.active--;
    return IRQ_HANDLED;
  }

  play(one: Step): void {
    const { machine, irq } = this.lines;
    switch (one.what) {
      case 'pulse':
        machine.cpus[one.cpu]?.callFunction(() => this.#deliver());
        return;
      case 'disable':
        this.depth++;
        machine.cpus[0]?.callFunction(() => this.#plain(() => disableIrqNosync(irq)));
        return;
      case 'enable':
        this.depth = Math.max(0, this.depth - 1);
        machine.cpus[0]?.callFunction(() => this.#plain(() => enableIrq(irq)));
        return;
      case 'nest':
        this.#nest = 2;
        return;
      case 'slow':
        this.#slow = !this.#slow;
        return;
      case 'wait':
        machine.advance(4_000);
        return;
      default:
        machine.advance(1_000_000);
    }
  }

  #plain(fn: () => unknown): 0 {
    fn();
    return 0;
  }
}

describe.each(Object.entries(FLOWS))('on the %s flow', (name, flow) => {
  it.each([true, false])(
    'nothing is lost but what may be, and nothing runs twice at once (retrigger: %s)',
    (retrigger) => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
          const rig = new Rig(flow, retrigger);
          const { desc, machine, printed } = rig.lines;
          for (const one of steps) {
            rig.play(one);
            expect([rig.most <= 1, desc.depth >= 0, desc.masked === rig.masked]).toEqual([true, true, true]);
          }
          // Until all that runs is done: a CPU that is at it takes the rest when it is back.
          machine.advance(1_000_000);
          const enabled = rig.depth === 0;
          expect([desc.depth, desc.disabled, desc.inProgress, rig.active]).toEqual([rig.depth, !enabled, false, 0]);
          if (enabled) expect([desc.masked, desc.pending]).toEqual([false, false]);
          // A level that is disabled during its handler stays masked; the others are masked by what comes then.
          if (desc.masked && name !== 'level') expect(desc.pending).toBe(true);
          const kept = desc.pending ? 1 : 0;
          if (KEEPING.includes(name)) expect(rig.runs + desc.coalesced + kept).toBe(rig.delivered);
          else expect(rig.runs + kept).toBeLessThanOrEqual(rig.delivered);
          expect(desc.total).toBeLessThanOrEqual(rig.runs);
          expect(printed.every((text) => text.includes('Unbalanced enable'))).toBe(true);
        }),
        { numRuns: 150 },
      );
    },
  );
});
