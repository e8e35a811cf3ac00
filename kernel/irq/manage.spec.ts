import { describe, expect, it } from 'vitest';
import { Machine } from '../machine.js';
import { localIrqDisable, localIrqEnable, preemptPoint } from '../sched/core.js';
import { context, current } from '../sched/current.js';
import { msleep, udelay } from '../time/delay.js';
import { Work } from '../workqueue/work.js';
import { flushWork, queueWork } from '../workqueue/workqueue.js';
import { handleEdgeIrq } from './chip.js';
import { IRQ_HANDLED, IRQ_WAKE_THREAD, IRQF_ONESHOT, IRQF_TRIGGER_RISING } from './flags.js';
import { IrqDomain } from './irqdomain.js';
import { disableIrqNosync, enableIrq, freeIrq, requestIrq, requestThreadedIrq } from './manage.js';
import { showInterrupts } from './proc.js';

function rig(cpus = 1) {
  const log: string[] = [];
  const machine = new Machine({ cpus, printk: (level, text) => log.push(`${level}: ${text}`) });
  const domain = new IrqDomain(machine, {
    name: 'fake',
    size: 8,
    flow: handleEdgeIrq,
    chip: { name: 'fake', ack: () => log.push('ack'), mask: () => log.push('mask'), unmask: () => log.push('unmask') },
  });
  const pulse = (hwirq: number) => machine.bootCpu.callFunction(() => domain.handle(hwirq));
  const at = (text: string) => log.push(`${machine.clock.now()} ${context()} ${current().comm} ${text}`);
  return { log, machine, domain, pulse, at };
}

describe('requestThreadedIrq', () => {
  it('runs primary, thread and work, each in its context', () => {
    const { log, machine, domain, pulse, at } = rig();
    const irq = domain.createMapping(3);
    const work = new Work(function* () {
      at('work');
      yield* msleep(1);
      at('work end');
    });
    machine.runTask(function* () {
      yield* requestThreadedIrq(
        irq,
        () => {
          at('primary');
          return IRQ_WAKE_THREAD;
        },
        function* () {
          at('thread');
          yield* msleep(2);
          at('thread end');
          queueWork(machine.workqueues.systemWq, work);
          return IRQ_HANDLED;
        },
        IRQF_TRIGGER_RISING,
        'button',
      );
    });
    pulse(3);
    machine.advance(10_000_000);
    console.log(log.join('\n'), showInterrupts(machine));
  });
  it('async', async () => {
    const { log, machine, at } = rig();
    const done = machine.call(async () => {
      at('async');
      await msleep(3);
      at('async end');
      await new Promise((r) => setTimeout(r, 5));
      at('x');
      await msleep(1);
      return 7;
    });
    await machine.advanceAsync(10_000_000);
    console.log(log.join('\n'), await done);
  });
});
