import { describe, expect, it } from 'vitest';
import { current, inHardirq, irqsDisabled, preemptCount } from '../sched/current.js';
import { SOFTIRQ_DISABLE_OFFSET } from '../sched/preempt.js';
import { nsleep, udelay } from '../time/delay.js';
import { type FakeLines, fakeLines, handledAfter } from './fake-line.spec-helper.js';
import {
  IRQ_HANDLED,
  IRQ_NOTHREAD,
  IRQ_WAKE_THREAD,
  IRQF_NO_THREAD,
  IRQF_ONESHOT,
  IRQF_PERCPU,
  IRQF_SHARED,
  IRQF_TIMER,
  type IrqReturn,
} from './flags.js';
import { handleLevelIrq } from './flow.js';
import type { IrqHandler, IrqThreadFn } from './irqdesc.js';
import { irqSetStatusFlags } from './line-setup.js';
import { freeIrq } from './manage.js';
import { requestThreadedIrq } from './request.js';

const US = 1_000;

/** Lines of a machine that runs handlers in threads. */
function forced(cpus = 1): FakeLines {
  return fakeLines({ cpus, machine: { threadirqs: true } });
}

function request(
  { machine, irq }: FakeLines,
  handler: IrqHandler | null,
  flags = 0,
  threadFn: IrqThreadFn | null = null,
): void {
  machine.runTask(() => requestThreadedIrq(irq, handler, threadFn, flags, 'ft', 'dev'));
}

/** Where a handler runs, and with what off. */
function whereabouts(): string {
  const off = [irqsDisabled() ? 'irqs' : '', preemptCount() === SOFTIRQ_DISABLE_OFFSET ? 'bh' : ''].filter(Boolean);
  return `${inHardirq() ? 'hardirq' : current().comm} ${off.join('+')}`.trim();
}

describe('a handler, where handlers run in threads,', () => {
  it('runs in the thread of its interrupt, with interrupts and softirqs off', () => {
    const lines = forced();
    const log: string[] = [];
    request(
      lines,
      handledAfter(() => log.push(whereabouts())),
    );
    lines.pulse();
    expect(log).toEqual([`irq/${lines.irq}-ft irqs+bh`]);
    expect([lines.desc.threadsHandled, lines.desc.threadsActive]).toEqual([1, 0]);
  });

  it.each<[string, number]>([
    ['IRQF_NO_THREAD', IRQF_NO_THREAD],
    ['IRQF_PERCPU', IRQF_PERCPU],
    ['IRQF_ONESHOT', IRQF_ONESHOT],
    ['IRQF_TIMER', IRQF_TIMER],
  ])('stays a hard interrupt with %s', (_, flags) => {
    const lines = forced();
    const log: string[] = [];
    request(
      lines,
      handledAfter(() => log.push(whereabouts())),
      flags,
    );
    lines.pulse();
    expect([log, lines.desc.actions[0]?.thread]).toEqual([['hardirq irqs'], undefined]);
  });

  it('stays a hard interrupt on a line that has no threads', () => {
    const lines = forced();
    lines.machine.runTask(() => irqSetStatusFlags(lines.irq, IRQ_NOTHREAD));
    request(lines, () => IRQ_HANDLED);
    expect(lines.desc.actions[0]?.forcedThread).toBe(false);
  });

  it('keeps a level masked until it is done, since it acknowledges its device only there', () => {
    const lines = forced();
    lines.desc.handleIrq = handleLevelIrq;
    request(lines, function* () {
      yield* udelay(10);
      lines.at('handler');
      return IRQ_HANDLED;
    });
    lines.taken();
    lines.pulse();
    lines.machine.advance(20 * US);
    expect(lines.taken()).toEqual(['mask_ack', `10 irq/${lines.irq}-ft handler`, 'unmask']);
  });

  it('is told that it must not sleep, in the words of a hard interrupt', () => {
    const lines = forced();
    request(lines, function* () {
      yield* nsleep(10 * US);
      return IRQ_HANDLED;
    });
    lines.pulse();
    lines.machine.advance(20 * US);
    expect(lines.printed[0]).toMatch(/^emerg: BUG: scheduling while atomic: irq\/\d+-ft\/\d+\/0x00000201/);
  });

  it('shares a line with others only if these agree to ONESHOT, as in the kernel', () => {
    const lines = forced();
    request(lines, () => IRQ_HANDLED, IRQF_SHARED);
    const { machine, irq } = lines;
    const other = (flags: number): void => {
      machine.runTask(() => requestThreadedIrq(irq, () => IRQ_HANDLED, null, IRQF_SHARED | flags, 'other', 'other'));
    };
    expect(() => other(IRQF_NO_THREAD)).toThrow(/Flags mismatch/);
    expect(() => other(0)).not.toThrow();
  });
});

describe('a request with a thread function, where handlers run in threads,', () => {
  const waking =
    (log: string[]): IrqHandler =>
    () => {
      log.push(whereabouts());
      return IRQ_WAKE_THREAD;
    };
  const threadFn = (log: string[]): IrqThreadFn => handledAfter(() => log.push(whereabouts()));

  it('has a second thread for it, with nothing off', () => {
    const lines = forced();
    const log: string[] = [];
    request(lines, waking(log), 0, threadFn(log));
    const [action] = lines.desc.actions;
    expect([action?.thread?.comm, action?.secondary?.thread?.comm]).toEqual([
      `irq/${lines.irq}-ft`,
      `irq/${lines.irq}-s-ft`,
    ]);
    lines.pulse();
    expect(log).toEqual([`irq/${lines.irq}-ft irqs+bh`, `irq/${lines.irq}-s-ft`]);
  });

  it('lets both threads end when it is freed, and waits for both', () => {
    const lines = forced();
    const { machine, irq, desc, pulse } = lines;
    const done: string[] = [];
    const slow: IrqThreadFn = function* () {
      yield* nsleep(30 * US);
      done.push('thread');
      return IRQ_HANDLED;
    };
    request(lines, () => IRQ_WAKE_THREAD, 0, slow);
    const threads = [desc.actions[0]?.thread, desc.actions[0]?.secondary?.thread];
    pulse();
    machine.runTask(() => freeIrq(irq, 'dev'));
    expect([done, threads.map((thread) => thread?.exited)]).toEqual([['thread'], [true, true]]);
  });

  it('needs no second thread if it has no handler, or asks for ONESHOT', () => {
    for (const handler of [null, (): IrqReturn => IRQ_WAKE_THREAD]) {
      const lines = forced();
      const log: string[] = [];
      request(lines, handler, IRQF_ONESHOT, threadFn(log));
      expect(lines.desc.actions[0]?.secondary).toBeUndefined();
      lines.pulse();
      expect(log).toEqual([`irq/${lines.irq}-ft`]);
    }
  });

  it('refuses with EDEADLK to free itself in either thread', () => {
    const lines = forced();
    const codes: unknown[] = [];
    request(
      lines,
      () => IRQ_WAKE_THREAD,
      0,
      function* () {
        try {
          yield* freeIrq(lines.irq, 'dev');
        } catch (error) {
          codes.push(error);
        }
        return IRQ_HANDLED;
      },
    );
    lines.pulse();
    expect(codes).toEqual([expect.objectContaining({ code: 'EDEADLK' })]);
  });
});

describe('a handler in a thread that asks for a thread which it has not got', () => {
  it('is warned of, once', () => {
    const lines = forced();
    request(lines, () => IRQ_WAKE_THREAD);
    lines.pulse();
    lines.pulse();
    expect(lines.printed).toEqual(['warning:  (irq_wake_secondary)']);
  });
});
