import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fakeLines } from '../irq/fake-line.spec-helper.js';
import { IRQ_HANDLED, IRQ_WAKE_THREAD } from '../irq/flags.js';
import { requestThreadedIrq } from '../irq/request.js';
import { Machine } from '../machine.js';
import { BLOCK_SOFTIRQ, HI_SOFTIRQ, localBhDisable, localBhEnable, raiseSoftirq } from '../softirq/softirq.js';
import { Tasklet, taskletKill, taskletSchedule } from '../softirq/tasklet.js';
import { MonotonicClock } from '../time/clock.js';
import { mdelay, msleep, nsleep, udelay } from '../time/delay.js';
import {
  HRTIMER_MODE_REL,
  HRTIMER_NORESTART,
  HRTIMER_RESTART,
  Hrtimer,
  hrtimerForwardNow,
  hrtimerStart,
} from '../time/hrtimer.js';
import { flushWork } from '../workqueue/flush.js';
import { scheduleWork } from '../workqueue/queue.js';
import { Work } from '../workqueue/work.js';
import { localIrqDisable, localIrqEnable, preemptDisable, preemptEnable, preemptPoint } from './core.js';
import type { Coroutine } from './coroutine.js';
import {
  context,
  current,
  inAtomic,
  inHardirq,
  inInterrupt,
  inServingSoftirq,
  inSoftirq,
  inTask,
  irqsDisabled,
} from './current.js';

const MS = 1_000_000;

describe('CPUs', () => {
  it('work in parallel: two that each burn 5 ms are both done at 5 ms', () => {
    const machine = new Machine({ cpus: 2 });
    const done: number[] = [];
    for (const cpu of [0, 1]) {
      machine.spawn(`burn${cpu}`, function* () {
        yield* mdelay(5);
        done.push(machine.clock.now());
      });
    }
    machine.advance(10 * MS);
    expect(done).toEqual([5 * MS, 5 * MS]);
    expect(machine.cpus.map((cpu) => cpu.times.taskNs)).toEqual([5 * MS, 5 * MS]);
  });

  it('take a waiting task from a busy one before they idle', () => {
    const machine = new Machine({ cpus: 2 });
    const done: string[] = [];
    for (const [name, ms] of [
      ['a', 6],
      ['b', 1],
      ['c', 6],
    ] as const) {
      machine.spawn(name, function* () {
        yield* mdelay(ms);
        done.push(`${name} ${machine.clock.now() / MS}`);
      });
    }
    machine.advance(20 * MS);
    expect(done.at(-1)).toBe('c 7');
  });

  it('account every ns to one kind of context', () => {
    const machine = new Machine();
    machine.softirqs.open(BLOCK_SOFTIRQ, function* () {
      yield* udelay(300);
    });
    machine.spawn('task', function* () {
      yield* mdelay(1);
    });
    const timer = new Hrtimer(function* () {
      yield* udelay(200);
      raiseSoftirq(BLOCK_SOFTIRQ);
      return HRTIMER_NORESTART;
    });
    machine.spawn('starter', () => hrtimerStart(timer, 100_000, HRTIMER_MODE_REL));
    machine.advance(5 * MS);
    expect(machine.bootCpu.times).toEqual({
      taskNs: 1_000_000,
      hardirqNs: 200_000,
      softirqNs: 300_000,
      idleNs: 3_500_000,
    });
  });
});

describe('preemption', () => {
  it('by an interrupt happens inside any delay with interrupts on, and extends no delay', () => {
    const machine = new Machine();
    const log: string[] = [];
    const hit = (what: string) =>
      new Hrtimer(() => {
        log.push(`${what} ${machine.clock.now()}`);
        return HRTIMER_NORESTART;
      });
    machine.runTask(function* () {
      hrtimerStart(hit('on'), 50_000, HRTIMER_MODE_REL);
      yield* udelay(100);
      log.push(`first ${machine.clock.now()}`);
      hrtimerStart(hit('off'), 50_000, HRTIMER_MODE_REL);
      localIrqDisable();
      yield* udelay(100);
      log.push(`second ${machine.clock.now()}`);
      localIrqEnable();
      yield* preemptPoint();
    });
    expect(log).toEqual(['on 50000', 'first 100000', 'second 200000', 'off 200000']);
  });

  it.each([
    ['preemption off', preemptDisable, preemptEnable],
    ['bottom halves off', localBhDisable, localBhEnable],
    ['interrupts off', localIrqDisable, localIrqEnable],
  ])('by a task of SCHED_FIFO waits while %s', (_, off, on) => {
    const machine = new Machine();
    const log: string[] = [];
    machine.runTask(function* () {
      off();
      machine.spawn('fifo', () => void log.push('fifo'), { rtPriority: 1 });
      yield* udelay(10);
      log.push('fair');
      on();
      yield* preemptPoint();
      log.push('fair again');
    });
    expect(log).toEqual(['fair', 'fifo', 'fair again']);
  });
});

/** What a random program does. */
const step = fc.oneof(
  fc.record({ kind: fc.constant('burn' as const), ns: fc.integer({ min: 0, max: 4 * MS }) }),
  fc.record({ kind: fc.constant('sleep' as const), ns: fc.integer({ min: 0, max: 4 * MS }) }),
  fc.record({ kind: fc.constant('irqsOff' as const), ns: fc.integer({ min: 0, max: MS }) }),
  fc.record({ kind: fc.constant('softirq' as const), ns: fc.integer({ min: 0, max: MS }) }),
  fc.record({ kind: fc.constant('timer' as const), ns: fc.integer({ min: 0, max: MS }) }),
);
const program = fc.record({
  cpus: fc.integer({ min: 1, max: 4 }),
  tasks: fc.array(
    fc.record({
      steps: fc.array(step, { maxLength: 8 }),
      rtPriority: fc.integer({ min: 0, max: 3 }),
      nice: fc.integer({ min: -20, max: 19 }),
    }),
    { minLength: 1, maxLength: 6 },
  ),
});
type Program = typeof program extends fc.Arbitrary<infer P> ? P : never;

/** Runs a program and checks on the way; returns what it left in the trace. */
function play({ cpus, tasks }: Program): string {
  const machine = new Machine({ cpus });
  machine.softirqs.open(BLOCK_SOFTIRQ, () => udelay(100));
  machine.softirqs.open(HI_SOFTIRQ, () => {});
  let ended = 0;
  let last = 0;
  const check = () => {
    expect(machine.clock.now()).toBeGreaterThanOrEqual(last);
    last = machine.clock.now();
    const running = machine.cpus.map((cpu) => cpu.current).filter((task) => task.pid !== 0);
    expect(new Set(running).size).toBe(running.length);
    for (const cpu of machine.cpus) {
      const waiting = cpu.rq.fifoFirst;
      if (cpu.current === cpu.idle) expect(cpu.rq.length === 0 || cpu.needResched).toBe(true);
      else if (waiting !== undefined && cpu.preemptCount === 0 && !cpu.needResched) {
        expect(cpu.current.prio).toBeLessThanOrEqual(waiting.prio);
      }
    }
  };
  const body = function* (steps: Program['tasks'][number]['steps']): Coroutine<void> {
    for (const { kind, ns } of steps) {
      check();
      if (kind === 'sleep') yield* nsleep(ns);
      else if (kind === 'softirq') raiseSoftirq(ns % 2 === 0 ? BLOCK_SOFTIRQ : HI_SOFTIRQ);
      else if (kind === 'timer')
        hrtimerStart(
          new Hrtimer(() => {
            check();
            return HRTIMER_NORESTART;
          }),
          ns,
          HRTIMER_MODE_REL,
        );
      else {
        if (kind === 'irqsOff') localIrqDisable();
        yield* udelay(ns / 1000);
        if (kind === 'irqsOff') localIrqEnable();
      }
    }
    ended++;
  };
  for (const [i, { steps, rtPriority, nice }] of tasks.entries()) {
    machine.spawn(`t${i}`, () => body(steps), { rtPriority, nice });
  }
  machine.advance(400 * MS);
  expect(ended).toBe(tasks.length);
  for (const cpu of machine.cpus) {
    const { taskNs, softirqNs, hardirqNs, idleNs } = cpu.times;
    expect(taskNs + softirqNs + hardirqNs + idleNs).toBe(400 * MS);
  }
  return JSON.stringify([...machine.trace.read()]);
}

it('random programs: all end, nobody is on two CPUs, FIFO comes first, time adds up, and a second run leaves the same trace', () => {
  fc.assert(
    fc.property(program, (random) => {
      expect(play(random)).toBe(play(random));
    }),
    { numRuns: 120 },
  );
});

describe('contexts', () => {
  it('are told by the predicates', () => {
    const { machine, irq, pulse } = fakeLines();
    const rows: Record<string, string> = {};
    const note = (name: string) => {
      const answers = {
        hardirq: inHardirq(),
        serving: inServingSoftirq(),
        softirq: inSoftirq(),
        interrupt: inInterrupt(),
        task: inTask(),
        atomic: inAtomic(),
        irqsOff: irqsDisabled(),
      };
      const yes = Object.entries(answers).filter(([, answer]) => answer);
      rows[name] = `${context()} ${current().comm}: ${yes.map(([key]) => key).join(' ')}`;
    };
    machine.softirqs.open(BLOCK_SOFTIRQ, () => note('softirq'));
    const nested = () => {
      note('nested hardirq');
      return 0 as const;
    };
    const timer = new Hrtimer(function* () {
      note('hardirq');
      localIrqEnable();
      machine.bootCpu.callFunction(nested);
      yield* udelay(1);
      raiseSoftirq(BLOCK_SOFTIRQ);
      return HRTIMER_NORESTART;
    });
    const idleTimer = new Hrtimer(() => {
      note('hardirq on idle');
      return HRTIMER_NORESTART;
    });
    const behind = new Tasklet(() => note('tasklet behind a hardirq'));
    const primary = () => {
      note('top half');
      taskletSchedule(behind);
      return IRQ_WAKE_THREAD;
    };
    machine.runTask(function* () {
      note('task');
      localBhDisable();
      note('task, BH off');
      localBhEnable();
      hrtimerStart(timer, 1000, HRTIMER_MODE_REL);
      yield* udelay(10);
      const work = new Work(() => note('worker'));
      scheduleWork(work);
      yield* flushWork(work);
      const tasklet = new Tasklet(() => note('tasklet in ksoftirqd'));
      taskletSchedule(tasklet);
      yield* taskletKill(tasklet);
      const thread = () => {
        note('irq thread');
        return IRQ_HANDLED;
      };
      yield* requestThreadedIrq(irq, primary, thread, 0, 'demo');
      pulse();
      yield* msleep(1);
      raiseSoftirq(BLOCK_SOFTIRQ);
      hrtimerStart(idleTimer, 1000, HRTIMER_MODE_REL);
      yield* msleep(1);
    });
    expect(rows).toEqual({
      task: 'task init: task',
      'task, BH off': 'task init: softirq interrupt task atomic',
      hardirq: 'hardirq init: hardirq interrupt atomic irqsOff',
      'nested hardirq': 'hardirq init: hardirq interrupt atomic irqsOff',
      softirq: 'softirq ksoftirqd/0: serving softirq interrupt atomic',
      worker: 'task kworker/0:0: task',
      'tasklet in ksoftirqd': 'softirq ksoftirqd/0: serving softirq interrupt atomic',
      'top half': 'hardirq swapper/0: hardirq interrupt atomic irqsOff',
      'tasklet behind a hardirq': 'softirq swapper/0: serving softirq interrupt atomic',
      'irq thread': `task irq/${irq}-demo: task`,
      'hardirq on idle': 'hardirq swapper/0: hardirq interrupt atomic irqsOff',
    });
  });
});

describe('in real time', () => {
  /** A host whose time moves only when asked for it, by `stepNs` a look. */
  function host(stepNs: number) {
    let now = 0;
    let timer: { at: number; callback: () => void } | undefined;
    const turns: number[] = [];
    const clock = new MonotonicClock({
      now: () => (now += stepNs),
      setTimer: (delayNs, callback) => {
        timer = { at: now + delayNs, callback };
      },
      clearTimer: () => {
        timer = undefined;
      },
    });
    const loop = () => {
      for (let i = 0; i < 100_000 && timer !== undefined; i++) {
        const { at, callback } = timer;
        timer = undefined;
        now = Math.max(now, at);
        const began = now;
        callback();
        turns.push(now - began);
      }
    };
    return { clock, loop, turns };
  }

  const order = (machine: Machine) => {
    const log: string[] = [];
    machine.softirqs.open(BLOCK_SOFTIRQ, () => void log.push('softirq'));
    machine.spawn('main', function* () {
      for (let i = 0; i < 5; i++) {
        log.push('task');
        hrtimerStart(
          new Hrtimer(() => {
            log.push('hardirq');
            raiseSoftirq(BLOCK_SOFTIRQ);
            return HRTIMER_NORESTART;
          }),
          2 * MS,
          HRTIMER_MODE_REL,
        );
        yield* msleep(10);
      }
    });
    return log;
  };

  it('a program takes the same order of contexts', () => {
    const { clock, loop } = host(500);
    const real = new Machine({ clock, hungTaskTimeoutSecs: 0 });
    const realLog = order(real);
    loop();
    const virtual = new Machine();
    const virtualLog = order(virtual);
    virtual.advance(200 * MS);
    expect(realLog).toEqual(virtualLog);
  });

  it('the host gets its turn every 2 ms', () => {
    const { clock, loop, turns } = host(1000);
    const machine = new Machine({ clock, hungTaskTimeoutSecs: 0 });
    let steps = 0;
    machine.spawn('busy', function* () {
      while (steps++ < 50_000) yield* preemptPoint();
    });
    loop();
    expect(steps).toBeGreaterThan(50_000);
    expect(Math.max(...turns)).toBeLessThan(2.2 * MS);
  });
});

it('a virtual second with 10,000 timer interrupts on four CPUs', () => {
  const machine = new Machine({ cpus: 4 });
  let fired = 0;
  for (const cpu of machine.cpus) {
    const timer = new Hrtimer((self) => {
      fired++;
      hrtimerForwardNow(self, 400_000);
      return HRTIMER_RESTART;
    });
    machine.spawn(`start${cpu.id}`, () => hrtimerStart(timer, 400_000, HRTIMER_MODE_REL), { cpusAllowed: 1 << cpu.id });
  }
  machine.advance(1000 * MS);
  expect(fired).toBe(10_000);
});
