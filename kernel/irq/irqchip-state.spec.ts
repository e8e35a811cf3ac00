import { describe, expect, it } from 'vitest';
import { KernelError } from '../errno.js';
import type { Coroutine } from '../sched/coroutine.js';
import { nsleep, udelay } from '../time/delay.js';
import { fakeLines, thrownBy } from './fake-line.spec-helper.js';
import {
  IRQ_HANDLED,
  IRQ_WAKE_THREAD,
  IRQCHIP_STATE_ACTIVE,
  IRQCHIP_STATE_LINE_LEVEL,
  IRQCHIP_STATE_MASKED,
  IRQCHIP_STATE_PENDING,
  type IrqReturn,
} from './flags.js';
import { type IrqState, irqGetIrqchipState, irqSetIrqchipState, irqState } from './irqchip-state.js';
import { disableIrqNosync, enableIrq } from './manage.js';
import { requestThreadedIrq } from './request.js';

const US = 1_000;

describe('the state of a line', () => {
  it('goes from inactive over active and active+pending to inactive, with a handler and its thread', () => {
    const { machine, irq, pulse } = fakeLines();
    const states: [number, IrqState][] = [];
    const look = (): void => {
      states.push([machine.clock.now() / US, machine.runTask(() => irqState(irq))]);
    };
    const seen: IrqState[] = [];
    const primary = function* (): Coroutine<IrqReturn> {
      seen.push(irqState(irq));
      yield* udelay(10);
      seen.push(irqState(irq));
      return IRQ_WAKE_THREAD;
    };
    const threadFn = function* (): Coroutine<IrqReturn> {
      yield* nsleep(20 * US);
      return IRQ_HANDLED;
    };
    machine.runTask(() => requestThreadedIrq(irq, primary, threadFn, 0, 'demo'));
    look();
    pulse();
    machine.advance(15 * US);
    look();
    machine.advance(20 * US);
    look();
    expect(states.map(([, state]) => state)).toEqual(['inactive', 'active', 'inactive']);
    expect(seen).toEqual(['active', 'active']);
  });

  it('is active and pending when a further edge comes while its handler runs', () => {
    const { machine, irq, pulse } = fakeLines({ cpus: 2 });
    const seen: IrqState[] = [];
    const primary = function* (): Coroutine<IrqReturn> {
      yield* udelay(10);
      seen.push(irqState(irq));
      return IRQ_HANDLED;
    };
    machine.runTask(() => requestThreadedIrq(irq, primary, null, 0, 'demo'));
    pulse(3, 0);
    machine.advance(5 * US);
    pulse(3, 1);
    machine.advance(100 * US);
    expect(seen).toEqual(['active+pending', 'active']);
  });

  it('is disabled before the first request and after disable_irq', () => {
    const { machine, irq } = fakeLines();
    const state = (): IrqState => machine.runTask(() => irqState(irq));
    const states = [state()];
    machine.runTask(() => requestThreadedIrq(irq, () => IRQ_HANDLED, null, 0, 'demo'));
    states.push(state());
    machine.runTask(() => disableIrqNosync(irq));
    states.push(state());
    machine.runTask(() => enableIrq(irq));
    states.push(state());
    expect(states).toEqual(['disabled', 'inactive', 'disabled', 'inactive']);
  });

  it('is what the controller says, too', () => {
    const chip = new Set<number>();
    const { machine, irq } = fakeLines({ chip: { getIrqchipState: (_desc, which) => chip.has(which) } });
    machine.runTask(() => requestThreadedIrq(irq, () => IRQ_HANDLED, null, 0, 'demo'));
    const state = (): IrqState => machine.runTask(() => irqState(irq));
    const states: IrqState[] = [];
    for (const which of [IRQCHIP_STATE_PENDING, IRQCHIP_STATE_ACTIVE]) {
      chip.add(which);
      states.push(state());
    }
    expect(states).toEqual(['pending', 'active+pending']);
  });
});

describe('the states of a line in its controller', () => {
  it('are read and set, over the bus if there is one', () => {
    const state = new Set<number>([IRQCHIP_STATE_LINE_LEVEL]);
    const calls: string[] = [];
    const { machine, irq } = fakeLines({
      chip: {
        getIrqchipState: (_desc, which) => state.has(which),
        setIrqchipState: (_desc, which, value) => {
          if (value) state.add(which);
          else state.delete(which);
        },
        *busLock() {
          yield* nsleep(US);
          calls.push('lock');
        },
        busSyncUnlock: () => void calls.push('unlock'),
      },
    });
    const answers = machine.runTask(function* () {
      yield* irqSetIrqchipState(irq, IRQCHIP_STATE_MASKED, true);
      yield* irqSetIrqchipState(irq, IRQCHIP_STATE_LINE_LEVEL, false);
      return [
        yield* irqGetIrqchipState(irq, IRQCHIP_STATE_MASKED),
        yield* irqGetIrqchipState(irq, IRQCHIP_STATE_LINE_LEVEL),
      ];
    });
    expect([answers, calls.length]).toEqual([[true, false], 8]);
  });

  it('are refused with EINVAL by a chip that has none', () => {
    const { machine, irq } = fakeLines();
    for (const call of [
      () => irqGetIrqchipState(irq, IRQCHIP_STATE_PENDING),
      () => irqSetIrqchipState(irq, IRQCHIP_STATE_PENDING, true),
      () => irqGetIrqchipState(99, IRQCHIP_STATE_PENDING),
    ]) {
      const error = thrownBy(() => machine.runTask<unknown>(call));
      expect(error).toBeInstanceOf(KernelError);
      expect(error).toMatchObject({ code: 'EINVAL' });
    }
  });
});
