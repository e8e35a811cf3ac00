import { describe, expect, it } from 'vitest';
import { fakeLines, handledAfter } from '../irq/fake-line.spec-helper.js';
import { IRQ_HANDLED, IRQF_NO_SUSPEND } from '../irq/flags.js';
import { enableIrqWake } from '../irq/pm.js';
import { requestIrq } from '../irq/request.js';
import { Machine } from '../machine.js';
import { Completion, waitForCompletion } from '../sched/completion.js';
import { kthreadShouldStop, kthreadStop } from '../sched/core.js';
import { msleep } from '../time/delay.js';
import { WQ_FREEZABLE } from '../workqueue/flags.js';
import { queueWork, scheduleWork } from '../workqueue/queue.js';
import { Work } from '../workqueue/work.js';
import { allocWorkqueue } from '../workqueue/workqueue.js';
import { setFreezable, tryToFreeze } from './freezer.js';
import { PM_SUSPEND_MEM, PM_SUSPEND_TO_IDLE, pmSuspend } from './suspend.js';
import { pmSystemCancelWakeup, pmSystemWakeup, pmWakeupClear, pmWakeupIrq, pmWakeupPending } from './wakeup.js';

const MSEC = 1_000_000;

/** A machine with a line 3 that wakes it up, and a task that suspends it; what happens is logged. */
function sleeper() {
  const lines = fakeLines({ chip: { setWake: () => {} } });
  const { machine, irq, log, at } = lines;
  machine.runTask(function* () {
    yield* requestIrq(
      irq,
      handledAfter(() => at('handled')),
      0,
      'button',
    );
    yield* enableIrqWake(irq);
  });
  lines.taken();
  const suspend = (): void => {
    machine.spawn('suspend', function* () {
      try {
        yield* pmSuspend(PM_SUSPEND_TO_IDLE);
        at(`resumed by ${pmWakeupIrq()}`);
      } catch (error) {
        log.push(String(error));
      }
    });
    machine.advance(MSEC);
  };
  return { ...lines, suspend };
}

describe('pm_suspend', () => {
  it('sleeps until a line that is armed for wake-up interrupts, and delivers that interrupt', () => {
    const { machine, irq, suspend, taken, printed, pulse } = sleeper();
    const start = machine.clock.now() / 1_000;
    suspend();
    machine.advance(999 * MSEC);
    expect(taken()).toEqual([]);
    expect(machine.power).toMatchObject({ inTransition: true, s2idleState: 'enter' });
    pulse();
    const woken = start + 1_000_000;
    expect(taken()).toEqual([
      'mask_ack',
      'unmask',
      'retrigger',
      'ack',
      `${woken} hardirq handled`,
      `${woken} suspend resumed by ${irq}`,
    ]);
    expect(machine.power).toMatchObject({ inTransition: false, s2idleState: 'none' });
    expect(printed).toEqual([
      'info: PM: suspend entry (s2idle)',
      'info: Freezing remaining freezable tasks',
      'info: Freezing remaining freezable tasks completed (elapsed 0.000 seconds)',
      'info: Restarting tasks ... done.',
      'info: PM: suspend exit',
    ]);
  });

  it('handles NO_SUSPEND lines meanwhile, lets timers run, and sleeps on', () => {
    const { machine, domain, log, suspend, pulse, taken } = sleeper();
    const irq = domain.createMapping(5);
    machine.runTask(() =>
      requestIrq(
        irq,
        handledAfter(() => log.push('no_suspend')),
        IRQF_NO_SUSPEND,
        'watchdog',
      ),
    );
    machine.spawn('ticker', function* () {
      for (let i = 0; i < 3; i++) {
        yield* msleep(10);
        log.push('tick');
      }
    });
    suspend();
    taken();
    pulse(5);
    machine.advance(100 * MSEC);
    expect(taken()).toEqual(['ack', 'no_suspend', 'tick', 'tick', 'tick']);
    expect(machine.power.inTransition).toBe(true);
  });

  it('is ended by pm_system_wakeup, and does not begin while one is pending that came after its start', () => {
    const { machine, suspend, taken } = sleeper();
    suspend();
    machine.runTask(pmSystemWakeup);
    expect(taken().at(-1)).toMatch(/resumed by 0$/);
    // What was pending before is forgotten.
    suspend();
    expect(machine.power.s2idleState).toBe('enter');
    machine.runTask(pmSystemWakeup);
  });

  it('is refused for a state that there is none of, and while another one is under way', () => {
    const { machine, suspend, taken } = sleeper();
    expect(() => machine.runTask(() => pmSuspend(PM_SUSPEND_MEM))).toThrow(expect.objectContaining({ code: 'EINVAL' }));
    suspend();
    suspend();
    expect(taken()).toEqual([expect.stringContaining('a suspend is under way')]);
  });

  it('does not call a task hung that waits for what is suspended, before it is over', () => {
    const { machine, suspend, printed, pulse } = sleeper();
    const hung = (): string[] => printed.filter((text) => text.includes('blocked for more'));
    machine.spawn('waits', () => waitForCompletion(new Completion()));
    suspend();
    machine.advance(1_000_000 * MSEC);
    expect(hung()).toEqual([]);
    pulse();
    machine.advance(121_000 * MSEC);
    expect(hung().length).toBe(1);
  });
});

describe('a freezable task', () => {
  it('waits in try_to_freeze until the machine is resumed', () => {
    const { machine, at, suspend, taken, pulse } = sleeper();
    machine.spawn('freezable', function* () {
      yield* setFreezable();
      for (let i = 0; i < 4; i++) {
        at('works');
        yield* msleep(10);
        yield* tryToFreeze();
      }
    });
    machine.advance(MSEC);
    expect(taken().length).toBe(1);
    suspend();
    machine.advance(500 * MSEC);
    expect(taken()).toEqual([]);
    expect([...machine.power.frozen].map(({ comm }) => comm)).toEqual(['freezable']);
    pulse();
    machine.advance(100 * MSEC);
    expect(taken().filter((entry) => entry.endsWith('works')).length).toBe(3);
    expect(machine.power.frozen.size).toBe(0);
  });

  it('that does not freeze within 20 s keeps the machine from being suspended', () => {
    const { machine, suspend, taken, printed } = sleeper();
    machine.spawn('stubborn', function* () {
      yield* setFreezable();
      for (;;) yield* msleep(100);
    });
    suspend();
    machine.advance(25_000 * MSEC);
    expect(taken()).toEqual([expect.stringContaining('1 tasks refusing to freeze')]);
    const report = printed.find((text) => text.startsWith('err:'));
    expect(report).toMatch(
      /^err: Freezing remaining freezable tasks failed after 20\.\d{3} seconds \(1 tasks refusing/,
    );
    expect(machine.power).toMatchObject({ freezing: false, inTransition: false });
  });

  it('that does not freeze is not waited for when a wake-up comes', () => {
    const { machine, suspend, taken, printed } = sleeper();
    machine.spawn('stubborn', function* () {
      yield* setFreezable();
      for (;;) yield* msleep(100);
    });
    suspend();
    machine.runTask(pmSystemWakeup);
    machine.advance(50 * MSEC);
    expect(taken()).toEqual([expect.stringContaining('suspend aborted')]);
    expect(printed.some((text) => text.includes('freezable tasks aborted after 0.0'))).toBe(true);
  });

  it('can be stopped while it is frozen', () => {
    const { machine, suspend, taken, at, pulse } = sleeper();
    const task = machine.spawn('freezable', function* () {
      yield* setFreezable();
      while (!kthreadShouldStop()) {
        yield* msleep(1);
        yield* tryToFreeze();
      }
      at('stopped');
      return IRQ_HANDLED;
    });
    suspend();
    machine.advance(10 * MSEC);
    expect(machine.power.frozen.has(task)).toBe(true);
    expect(machine.runTask(() => kthreadStop(task))).toBe(IRQ_HANDLED);
    expect(taken().at(-1)).toMatch(/stopped$/);
    pulse();
  });
});

describe('a freezable work queue', () => {
  it('begins nothing that is queued during the suspend, and all of it after that; others go on', () => {
    const { machine, log, suspend, taken, pulse } = sleeper();
    const freezable = machine.runTask(() => allocWorkqueue('events_frozen', WQ_FREEZABLE, 0));
    const works = ['a', 'b'].map((name) => new Work(() => log.push(`${name} runs`), name));
    const other = new Work(() => log.push('other runs'), 'other');
    suspend();
    machine.runTask(() => {
      for (const work of works) queueWork(freezable, work);
      scheduleWork(other);
    });
    machine.advance(100 * MSEC);
    expect(taken()).toEqual(['other runs']);
    pulse();
    machine.advance(MSEC);
    expect(taken().filter((entry) => entry.endsWith('runs'))).toEqual(['a runs', 'b runs']);
  });

  it('is waited for while an item of it runs, for 20 s at most', () => {
    const { machine, at, suspend, taken, printed } = sleeper();
    const freezable = machine.runTask(() => allocWorkqueue('events_frozen', WQ_FREEZABLE, 0));
    let forMs = 30;
    const work = new Work(function* () {
      yield* msleep(forMs);
      at('item done');
    }, 'item');
    machine.runTask(() => queueWork(freezable, work));
    suspend();
    expect(machine.power.s2idleState).toBe('none');
    machine.advance(100 * MSEC);
    expect(taken().length).toBe(1);
    expect(machine.power.s2idleState).toBe('enter');
    machine.runTask(pmSystemWakeup);
    taken();

    forMs = 60_000;
    machine.runTask(() => queueWork(freezable, work));
    suspend();
    machine.advance(21_000 * MSEC);
    expect(taken()).toEqual([expect.stringContaining('0 tasks refusing to freeze, wq_busy=1')]);
    expect(printed.filter((text) => text.startsWith('err:')).length).toBe(1);
    machine.advance(60_000 * MSEC);
    expect(taken().length).toBe(1);
  });
});

describe('the account of wake-ups', () => {
  it('keeps the first two interrupts, and what is cancelled does not count', () => {
    const machine = new Machine();
    machine.runTask(() => {
      pmSystemWakeup();
      pmSystemCancelWakeup();
      pmSystemCancelWakeup();
      expect(pmWakeupPending()).toBe(false);
      machine.power.wakeupIrq = 7;
      machine.power.secondWakeupIrq = 9;
      pmWakeupClear(7);
      expect(pmWakeupIrq()).toBe(9);
      pmWakeupClear(7);
      expect(pmWakeupIrq()).toBe(0);
    });
  });
});
