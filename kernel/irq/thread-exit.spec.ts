import { describe, expect, it } from 'vitest';
import type { Coroutine } from '../sched/coroutine.js';
import { kthreadCompleteAndExit } from '../sched/kthread-exit.js';
import { nsleep } from '../time/delay.js';
import { fakeLines } from './fake-line.spec-helper.js';
import { IRQF_ONESHOT, type IrqReturn } from './flags.js';
import { handleLevelIrq } from './flow.js';
import { freeIrq } from './manage.js';
import { requestThreadedIrq } from './request.js';

describe('a thread whose function ends it', () => {
  it('is reported as the kernel does, and the line works on without it', () => {
    const lines = fakeLines();
    const { machine, irq, desc, pulse, printed, taken } = lines;
    let runs = 0;
    const threadFn = function* (): Coroutine<IrqReturn> {
      yield* nsleep(1_000);
      runs++;
      kthreadCompleteAndExit(null, 0);
    };
    machine.runTask(() => requestThreadedIrq(irq, null, threadFn, IRQF_ONESHOT, 'demo'));
    desc.handleIrq = handleLevelIrq;
    const pid = desc.actions[0]?.thread?.pid;
    pulse();
    machine.advance(1_000_000);
    expect(printed).toEqual([
      `err: genirq: exiting task "irq/${irq}-demo" (${pid}) is an active IRQ thread (irq ${irq})`,
    ]);
    // Masked by the flow, unmasked by the thread's end; nobody is woken by the next one.
    taken();
    pulse();
    machine.advance(1_000_000);
    expect([runs, desc.masked, desc.threadsActive, taken()]).toEqual([1, false, 0, ['mask_ack', 'unmask']]);
    expect(machine.runTask(() => freeIrq(irq))).toBe('demo');
  });
});
