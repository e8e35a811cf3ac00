// The ground that all else stands on: tasks, timers, locks, the virtual clock.
import {
  HRTIMER_MODE_REL,
  HRTIMER_NORESTART,
  HRTIMER_RESTART,
  Hrtimer,
  hrtimerForwardNow,
  hrtimerStart,
  jiffies,
  Mutex,
  modTimer,
  mutexLock,
  mutexUnlock,
  Spinlock,
  schedule,
  schedYield,
  setCurrentState,
  spinLock,
  spinUnlock,
  TASK_INTERRUPTIBLE,
  type Task,
  TimerList,
  VirtualClock,
  wakeUpProcess,
} from '../../kernel/index.js';
import { benchMachine } from './machines.js';
import type { Operation, Repeat } from './operation.js';

/** Sees to it that something that counts itself happened `count` times. */
function counted(happened: () => number, repeat: (count: number) => void): Repeat {
  return (count) => {
    const before = happened();
    repeat(count);
    const times = happened() - before;
    if (Math.abs(times - count) > 2) throw new Error(`happened ${times} times, not ${count}`);
  };
}

/** Two tasks on one CPU that yield to each other. */
function taskSwitch(): Repeat {
  const machine = benchMachine();
  let switches = 0;
  let last = 0;
  const yielder = (id: number, times: number) =>
    function* () {
      for (let i = 0; i < times; i++) {
        if (last !== id) switches++;
        last = id;
        yield* schedYield();
      }
    };
  return counted(
    () => switches,
    (count) => {
      machine.batch(() => {
        machine.spawn('one', yielder(1, count / 2));
        machine.spawn('other', yielder(2, count / 2));
      });
    },
  );
}

/** A task that is woken by another, and wakes that one before it sleeps. */
function wakeAndSleep(): Repeat {
  const machine = benchMachine();
  let turns = 0;
  const partner = (times: number, other: () => Task | undefined) =>
    function* () {
      for (let i = 0; i < times; i++) {
        turns++;
        const task = other();
        setCurrentState(TASK_INTERRUPTIBLE);
        if (task !== undefined) wakeUpProcess(task);
        yield* schedule();
      }
    };
  return counted(
    () => turns,
    (count) => {
      const tasks: Task[] = [];
      tasks.push(
        machine.spawn(
          'a',
          partner(count / 2, () => tasks[1]),
        ),
      );
      tasks.push(
        machine.spawn(
          'b',
          partner(count / 2, () => tasks[0]),
        ),
      );
      machine.batch(() => {
        for (const task of tasks) wakeUpProcess(task);
      });
    },
  );
}

/** `pending` timers that move themselves on, 1 µs apart. */
function hrtimers(pending: number): Repeat {
  const machine = benchMachine();
  const intervalNs = pending * 1_000;
  let fired = 0;
  machine.runTask(() => {
    for (let i = 1; i <= pending; i++) {
      const timer = new Hrtimer(function again(self) {
        fired++;
        hrtimerForwardNow(self, intervalNs);
        return HRTIMER_RESTART;
      });
      hrtimerStart(timer, i * 1_000, HRTIMER_MODE_REL);
    }
  });
  return counted(
    () => fired,
    (count) => machine.advance(count * 1_000),
  );
}

/** Arms a timer from its own function, a tick ahead: every operation is an arming, a tick, a softirq and a call. */
function timerList(): Repeat {
  const machine = benchMachine();
  let fired = 0;
  const timer = new TimerList(function again(self) {
    fired++;
    modTimer(self, jiffies());
  });
  machine.runTask(() => modTimer(timer, jiffies()));
  return counted(
    () => fired,
    (count) => machine.advance(count * machine.tickNs),
  );
}

/** Starts a timer and cancels it before it is due, as time-outs mostly are: here by starting it anew. */
function rearm(): Repeat {
  const machine = benchMachine();
  const timer = new Hrtimer(() => HRTIMER_NORESTART);
  return (count) => {
    machine.runTask(() => {
      for (let i = 0; i < count; i++) hrtimerStart(timer, 1_000 + (i & 0xff), HRTIMER_MODE_REL);
    });
  };
}

function spinlocks(lockdep: boolean): Repeat {
  const machine = benchMachine({ lockdep });
  const lock = new Spinlock('bench');
  return (count) => {
    machine.runTask(() => {
      for (let i = 0; i < count; i++) {
        spinLock(lock);
        spinUnlock(lock);
      }
    });
  };
}

function mutexes(lockdep: boolean): Repeat {
  const machine = benchMachine({ lockdep });
  const lock = new Mutex('bench');
  return (count) => {
    machine.runTask(function* () {
      for (let i = 0; i < count; i++) {
        yield* mutexLock(lock);
        mutexUnlock(lock);
      }
    });
  };
}

/** An alarm that sets itself again, among others that wait. */
function clockEvents(waiting: number): Repeat {
  const clock = new VirtualClock(1_800_123_456_789);
  let fired = 0;
  for (let i = 0; i < waiting; i++) clock.createAlarm(() => {}).schedule(1e15 + i);
  const alarm = clock.createAlarm(() => {
    fired++;
    alarm.schedule(clock.now() + 1_000);
  });
  alarm.schedule(clock.now() + 1_000);
  return counted(
    () => fired,
    (count) => clock.advance(count * 1_000),
  );
}

const of = (name: string, count: number, prepare: () => Repeat): Operation => ({ name, count, prepare });

export const ground: readonly Operation[] = [
  of('task switch (`schedYield`)', 200_000, taskSwitch),
  of('wake-up of a task, sleep, switch to it', 100_000, wakeAndSleep),
  of('virtual clock: alarm set and fired', 1_000_000, () => clockEvents(0)),
  of('virtual clock: the same, 1,000 others waiting', 1_000_000, () => clockEvents(1_000)),
  of('hrtimer: armed, interrupt, called', 200_000, () => hrtimers(1)),
  of('hrtimer: the same, 1,000 pending', 200_000, () => hrtimers(1_000)),
  of('hrtimer: armed anew before it is due', 500_000, rearm),
  of('timer_list: armed, tick, softirq, called', 100_000, timerList),
  of('spinlock, lock and unlock', 1_000_000, () => spinlocks(false)),
  of('spinlock, the same with lockdep', 200_000, () => spinlocks(true)),
  of('mutex, lock and unlock', 500_000, () => mutexes(false)),
  of('mutex, the same with lockdep', 100_000, () => mutexes(true)),
];
