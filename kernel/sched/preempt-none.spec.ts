import { describe, expect, it } from 'vitest';
import { Machine } from '../machine.js';
import type { PreemptModel } from '../machine-options.js';
import { localBhDisable, localBhEnable } from '../softirq/softirq.js';
import { mdelay, msleep, udelay } from '../time/delay.js';
import { HRTIMER_MODE_REL, HRTIMER_NORESTART, Hrtimer, hrtimerStart } from '../time/hrtimer.js';
import { queueWork, scheduleWork } from '../workqueue/queue.js';
import { Work } from '../workqueue/work.js';
import { allocWorkqueue } from '../workqueue/workqueue.js';
import { condResched, preemptDisable, preemptEnable, preemptPoint, setCurrentState } from './core.js';
import type { Coroutine } from './coroutine.js';
import { TASK_INTERRUPTIBLE } from './task.js';

/** What a task and an urgent one that it starts say, in order. */
function order(preempt: PreemptModel, between: (log: string[]) => Coroutine<void>): string[] {
  const machine = new Machine({ preempt });
  const log: string[] = [];
  machine.runTask(function* () {
    machine.spawn('fifo', () => void log.push('fifo'), { rtPriority: 1 });
    yield* between(log);
    log.push('end');
    yield* msleep(1);
  });
  return log;
}

describe('without kernel preemption', () => {
  it.each([
    ['a point where interrupts come in', preemptPoint],
    ['a delay', () => mdelay(5)],
    [
      'the end of preemption off',
      function* () {
        preemptDisable();
        preemptEnable();
        yield* preemptPoint();
      },
    ],
    [
      'the end of bottom halves off',
      function* () {
        localBhDisable();
        localBhEnable();
        yield* preemptPoint();
      },
    ],
  ] as const)('a task keeps the CPU at %s', (_, between) => {
    expect(order('none', between)).toEqual(['end', 'fifo']);
    expect(order('full', between)).toEqual(['fifo', 'end']);
  });

  it('it loses it where it sleeps', () => {
    expect(order('none', () => msleep(1))).toEqual(['fifo', 'end']);
  });

  it('cond_resched lets an urgent task run, and says so; with preemption it has run already', () => {
    const said = function* (log: string[]) {
      log.push(`resched ${yield* condResched()}`);
      log.push(`resched ${yield* condResched()}`);
    };
    expect(order('none', said)).toEqual(['fifo', 'resched true', 'resched false', 'end']);
    expect(order('full', said)).toEqual(['fifo', 'resched false', 'resched false', 'end']);
  });

  it('cond_resched does nothing while preemption is off', () => {
    const off = function* (log: string[]) {
      preemptDisable();
      yield* condResched();
      log.push('off');
      preemptEnable();
      yield* condResched();
    };
    expect(order('none', off)).toEqual(['off', 'fifo', 'end']);
  });

  it('cond_resched keeps a task on the run queue that was about to sleep', () => {
    const about = function* () {
      setCurrentState(TASK_INTERRUPTIBLE);
      yield* condResched();
    };
    expect(order('none', about)).toEqual(['fifo', 'end']);
  });

  it('a fair task runs on when its slice is over, until it lets go', () => {
    const machine = new Machine({ preempt: 'none' });
    const log: string[] = [];
    for (const name of ['a', 'b']) {
      machine.spawn(name, function* () {
        for (let i = 0; i < 3; i++) {
          yield* mdelay(10);
          log.push(name);
        }
        yield* condResched();
        log.push(`${name} again`);
      });
    }
    machine.advance(100_000_000);
    expect(log).toEqual(['a', 'a', 'a', 'b', 'b', 'b', 'a again', 'b again']);
  });

  it('interrupts come in all the same, and what they wake on an idle CPU runs at once', () => {
    const machine = new Machine({ preempt: 'none' });
    const log: string[] = [];
    const at = (what: string) => log.push(`${what} ${machine.clock.now() / 1000}`);
    const timer = new Hrtimer(() => {
      at('timer');
      machine.spawn('woken', () => void at('woken'), { rtPriority: 1 });
      return HRTIMER_NORESTART;
    });
    machine.runTask(function* () {
      hrtimerStart(timer, 3_000, HRTIMER_MODE_REL);
      yield* udelay(10);
      at('busy');
      yield* msleep(1);
    });
    expect(log).toEqual(['timer 3', 'busy 10', 'woken 10']);
  });

  it('a kworker lets others run between its items', () => {
    const machine = new Machine({ preempt: 'none' });
    const log: string[] = [];
    const wq = allocWorkqueue('two', 0, 0);
    machine.runTask(function* () {
      const item = (name: string) =>
        new Work(() => {
          log.push(name);
          machine.spawn('fifo', () => void log.push('fifo'), { rtPriority: 1 });
        }, name);
      queueWork(wq, item('first'));
      scheduleWork(item('second'));
      yield* msleep(5);
    });
    expect(log).toEqual(['first', 'fifo', 'second', 'fifo']);
  });

  it('is asked for by name', () => {
    expect(() => new Machine({ preempt: 'some' as PreemptModel })).toThrow('preempt some: full or none');
  });
});
