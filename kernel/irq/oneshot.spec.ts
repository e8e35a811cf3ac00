import { describe, expect, it } from 'vitest';
import type { Coroutine } from '../sched/coroutine.js';
import { nsleep, udelay } from '../time/delay.js';
import { fakeLines, handledAfter } from './fake-line.spec-helper.js';
import { IRQ_HANDLED, IRQ_NONE, IRQ_WAKE_THREAD, IRQF_ONESHOT, IRQF_SHARED, type IrqReturn } from './flags.js';
import { handleLevelIrq } from './flow.js';
import type { IrqHandler, IrqThreadFn } from './irqdesc.js';
import { disableIrqNosync, enableIrq, freeIrq } from './manage.js';
import { requestThreadedIrq } from './request.js';

const US = 1_000;
const wake = (): IrqReturn => IRQ_WAKE_THREAD;

/** A level line with ONESHOT actions, which logs masking with the time. */
function levelLine(cpus = 1) {
  const lines = fakeLines({
    cpus,
    full: false,
    chip: { mask: () => lines.at('mask'), unmask: () => lines.at('unmask'), ack: undefined },
  });
  const { machine, irq, desc } = lines;
  desc.handleIrq = handleLevelIrq;
  const request = (name: string, handler: IrqHandler | null, threadFn: IrqThreadFn | null): void => {
    const flags = IRQF_ONESHOT | IRQF_SHARED;
    machine.runTask(() => requestThreadedIrq(irq, handler, threadFn, flags, name, name));
    lines.taken();
  };
  /** A thread function that sleeps for so many µs. */
  const sleeper = (us: number): IrqThreadFn =>
    function* () {
      yield* nsleep(us * US);
      return IRQ_HANDLED;
    };
  /** The log without the context. */
  const events = (): string[] => lines.taken().map((entry) => entry.replace(/^(\d+) .* (\w+)$/, '$1 $2'));
  return { ...lines, request, sleeper, events };
}

describe('a ONESHOT level line', () => {
  it('stays masked from its interrupt until its thread is done', () => {
    const { pulse, request, sleeper, events, machine } = levelLine();
    request('one', null, sleeper(20));
    pulse();
    machine.advance(100 * US);
    expect(events()).toEqual(['0 mask', '20 unmask']);
  });

  it('is unmasked at once when its handlers have woken no thread', () => {
    const { pulse, request, sleeper, events } = levelLine();
    request('one', () => IRQ_NONE, sleeper(20));
    pulse();
    expect(events()).toEqual(['0 mask', '0 unmask']);
  });

  it('that is shared stays masked until the last of the threads is done', () => {
    const { pulse, request, sleeper, events, machine } = levelLine();
    request('short', wake, sleeper(10));
    request('long', wake, sleeper(40));
    pulse();
    machine.advance(100 * US);
    expect(events()).toEqual(['0 mask', '40 unmask']);
  });

  it('stays masked when a thread is woken once more while it runs, until that run is over', () => {
    const lines = levelLine();
    const { pulse, request, events, machine, desc } = lines;
    let runs = 0;
    request('one', wake, function* (): Coroutine<IrqReturn> {
      runs++;
      yield* nsleep(20 * US);
      return IRQ_HANDLED;
    });
    pulse();
    machine.advance(5 * US);
    // The hardware delivers although the line is masked: the flow handler takes it in.
    machine.bootCpu.callFunction(() => handleLevelIrq(desc));
    machine.advance(100 * US);
    expect([events(), runs]).toEqual([['0 mask', '40 unmask'], 2]);
  });

  it('is left to enable_irq when it was disabled meanwhile', () => {
    const { pulse, request, sleeper, events, machine, irq } = levelLine();
    request('one', wake, sleeper(20));
    pulse();
    machine.runTask(() => disableIrqNosync(irq));
    machine.advance(100 * US);
    expect(events()).toEqual(['0 mask']);
    machine.runTask(() => enableIrq(irq));
    expect(events()).toEqual(['100 unmask']);
  });

  it('is not unmasked by the thread of an action that is being freed', () => {
    const { pulse, request, sleeper, events, machine, irq, desc } = levelLine();
    request('one', wake, sleeper(20));
    pulse();
    machine.runTask(() => freeIrq(irq, 'one'));
    expect([events(), desc.threadsOneshot, desc.masked]).toEqual([['0 mask'], 0, true]);
  });

  it('waits for the handlers on another CPU, which would mask it behind the back of a thread that is done first', () => {
    const { pulse, request, events, machine, desc } = levelLine(2);
    const done: number[] = [];
    const quick = handledAfter(() => done.push(machine.clock.now()));
    const slow = function* (): Coroutine<IrqReturn> {
      yield* udelay(50);
      return IRQ_NONE;
    };
    request('quick', wake, quick);
    request('slow', slow, null);
    pulse();
    machine.advance(100 * US);
    expect([done, events(), desc.masked]).toEqual([[0], ['0 mask', '50 unmask'], false]);
  });
});
