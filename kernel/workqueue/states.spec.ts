// Each call on an item, in each state that an item can be in.
import { describe, expect, it } from 'vitest';
import { KernelError } from '../errno.js';
import { Machine } from '../machine.js';
import { preemptDisable, preemptEnable, preemptPoint } from '../sched/core.js';
import type { Coroutine } from '../sched/coroutine.js';
import { msleep } from '../time/delay.js';
import {
  cancelDelayedWork,
  cancelDelayedWorkSync,
  cancelWork,
  cancelWorkSync,
  disableDelayedWork,
  disableDelayedWorkSync,
  enableDelayedWork,
} from './cancel.js';
import { DelayedWork, flushDelayedWork, modDelayedWork, queueDelayedWork } from './delayed.js';
import { WQ_HIGHPRI, WQ_MEM_RECLAIM, WQ_UNBOUND } from './flags.js';
import { flushWork } from './flush.js';
import { workBusy } from './info.js';
import { queueWork } from './queue.js';
import { Work } from './work.js';
import { allocWorkqueue, type Workqueue } from './workqueue.js';

type Call = (wq: Workqueue, work: DelayedWork) => boolean | Coroutine<boolean>;

const CALLS: Readonly<Record<string, Call>> = {
  queue: queueWork,
  queueDelayed: (wq, work) => queueDelayedWork(wq, work, 3),
  mod: (wq, work) => modDelayedWork(wq, work, 3),
  modTo0: (wq, work) => modDelayedWork(wq, work, 0),
  cancel: (_, work) => cancelWork(work),
  cancelSync: (_, work) => cancelWorkSync(work),
  cancelDelayed: (_, work) => cancelDelayedWork(work),
  cancelDelayedSync: (_, work) => cancelDelayedWorkSync(work),
  flush: (_, work) => flushWork(work),
  flushDelayed: (_, work) => flushDelayedWork(work),
  disable: (_, work) => disableDelayedWork(work),
  disableSync: (_, work) => disableDelayedWorkSync(work),
  enable: (_, work) => enableDelayedWork(work),
};

/** How an idle item comes into a state. Preemption is off, but for the time until it runs, and off it stays until the call. */
interface State {
  readonly first?: Act;
  /** It runs by now. */
  readonly running?: true;
  readonly last?: Act;
}
type Act = (wq: Workqueue, work: DelayedWork) => void;

const STATES: Readonly<Record<string, State>> = {
  idle: {},
  queued: { first: queueWork },
  inactive: {
    first: (wq, work) => {
      queueWork(wq, new Work(() => msleep(20)));
      queueWork(wq, work);
    },
  },
  onTimer: { first: (wq, work) => queueDelayedWork(wq, work, 5) },
  running: { first: queueWork, running: true },
  runningAndQueued: { first: queueWork, running: true, last: queueWork },
  runningAndOnTimer: { first: queueWork, running: true, last: (wq, work) => queueDelayedWork(wq, work, 20) },
  disabled: { first: (_, work) => disableDelayedWork(work) },
  disabledTwice: { first: (_, work) => disableDelayedWork(work), last: (_, work) => disableDelayedWork(work) },
  runningAndDisabled: { first: queueWork, running: true, last: (_, work) => disableDelayedWork(work) },
};

/** What the call returns; pending (1) and running (2) behind it; how often the item has run in the end. */
const TABLE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  idle: {
    queue: 'true 1 1',
    queueDelayed: 'true 1 1',
    mod: 'false 1 1',
    modTo0: 'false 1 1',
    cancel: 'false 0 0',
    cancelSync: 'false 0 0',
    cancelDelayed: 'false 0 0',
    cancelDelayedSync: 'false 0 0',
    flush: 'false 0 0',
    flushDelayed: 'false 0 0',
    disable: 'false 0 0',
    disableSync: 'false 0 0',
    enable: 'true 0 0 underflow',
  },
  queued: {
    queue: 'false 1 1',
    queueDelayed: 'false 1 1',
    mod: 'true 1 1',
    modTo0: 'true 1 1',
    cancel: 'true 0 0',
    cancelSync: 'true 0 0',
    cancelDelayed: 'true 0 0',
    cancelDelayedSync: 'true 0 0',
    flush: 'true 0 1',
    flushDelayed: 'true 0 1',
    disable: 'true 0 0',
    disableSync: 'true 0 0',
    enable: 'true 0 0 underflow',
  },
  inactive: {
    queue: 'false 1 1',
    queueDelayed: 'false 1 1',
    mod: 'true 1 1',
    modTo0: 'true 1 1',
    cancel: 'true 0 0',
    cancelSync: 'true 0 0',
    cancelDelayed: 'true 0 0',
    cancelDelayedSync: 'true 0 0',
    flush: 'true 0 1',
    flushDelayed: 'true 0 1',
    disable: 'true 0 0',
    disableSync: 'true 0 0',
    enable: 'true 0 0 underflow',
  },
  onTimer: {
    queue: 'false 1 1',
    queueDelayed: 'false 1 1',
    mod: 'true 1 1',
    modTo0: 'true 1 1',
    cancel: 'EDEADLK 1 1',
    cancelSync: 'EDEADLK 1 1',
    cancelDelayed: 'true 0 0',
    cancelDelayedSync: 'true 0 0',
    flush: 'false 1 1',
    flushDelayed: 'true 0 1',
    disable: 'true 0 0',
    disableSync: 'true 0 0',
    enable: 'EDEADLK 1 1',
  },
  running: {
    queue: 'true 3 2',
    queueDelayed: 'true 3 2',
    mod: 'false 3 2',
    modTo0: 'false 3 2',
    cancel: 'false 2 1',
    cancelSync: 'false 0 1',
    cancelDelayed: 'false 2 1',
    cancelDelayedSync: 'false 0 1',
    flush: 'true 0 1',
    flushDelayed: 'true 0 1',
    disable: 'false 2 1',
    disableSync: 'false 0 1',
    enable: 'true 2 1 underflow',
  },
  runningAndQueued: {
    queue: 'false 3 2',
    queueDelayed: 'false 3 2',
    mod: 'true 3 2',
    modTo0: 'true 3 2',
    cancel: 'true 2 1',
    cancelSync: 'true 0 1',
    cancelDelayed: 'true 2 1',
    cancelDelayedSync: 'true 0 1',
    flush: 'true 0 2',
    flushDelayed: 'true 0 2',
    disable: 'true 2 1',
    disableSync: 'true 0 1',
    enable: 'true 2 1 underflow',
  },
  runningAndOnTimer: {
    queue: 'false 3 2',
    queueDelayed: 'false 3 2',
    mod: 'true 3 2',
    modTo0: 'true 3 2',
    cancel: 'EDEADLK 3 2',
    cancelSync: 'EDEADLK 3 2',
    cancelDelayed: 'true 2 1',
    cancelDelayedSync: 'true 0 1',
    flush: 'true 1 2',
    flushDelayed: 'true 0 2',
    disable: 'true 2 1',
    disableSync: 'true 0 1',
    enable: 'EDEADLK 3 2',
  },
  disabled: {
    queue: 'false 0 0',
    queueDelayed: 'false 0 0',
    mod: 'false 0 0',
    modTo0: 'false 0 0',
    cancel: 'false 0 0',
    cancelSync: 'false 0 0',
    cancelDelayed: 'false 0 0',
    cancelDelayedSync: 'false 0 0',
    flush: 'false 0 0',
    flushDelayed: 'false 0 0',
    disable: 'false 0 0',
    disableSync: 'false 0 0',
    enable: 'true 0 0',
  },
  disabledTwice: { queue: 'false 0 0', enable: 'false 0 0' },
  runningAndDisabled: {
    queue: 'false 2 1',
    queueDelayed: 'false 2 1',
    mod: 'false 2 1',
    modTo0: 'false 2 1',
    cancel: 'false 2 1',
    cancelSync: 'false 0 1',
    cancelDelayed: 'false 2 1',
    cancelDelayedSync: 'false 0 1',
    flush: 'true 0 1',
    flushDelayed: 'true 0 1',
    disable: 'false 2 1',
    disableSync: 'false 0 1',
    enable: 'true 2 1',
  },
};

function outcome(flags: number, state: string, call: string): string {
  const printed: string[] = [];
  const machine = new Machine({ printk: (_, text) => printed.push(text) });
  let runs = 0;
  const work = new DelayedWork(function* () {
    runs++;
    yield* msleep(20);
  });
  const body = function* (): Coroutine<string> {
    const wq = allocWorkqueue('demo', flags, 1);
    const { first, running, last } = STATES[state] ?? {};
    preemptDisable();
    first?.(wq, work);
    if (running) {
      preemptEnable();
      yield* msleep(4);
      preemptDisable();
    }
    last?.(wq, work);
    let answer: string;
    try {
      const result = CALLS[call]?.(wq, work);
      if (typeof result === 'object') preemptEnable();
      answer = String(typeof result === 'object' ? yield* result : result);
      if (typeof result === 'object') preemptDisable();
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      answer = error.code;
      if (call === 'cancelSync') preemptDisable();
    }
    const busy = workBusy(work);
    preemptEnable();
    yield* preemptPoint();
    yield* msleep(300);
    return `${answer} ${busy} ${runs}${printed.some((text) => text.includes('underflowed')) ? ' underflow' : ''}`;
  };
  // FIFO: no worker runs before it sleeps.
  const task = machine.spawn('oracle', body, { rtPriority: 1 });
  machine.advance(1_000_000_000);
  return String(task.exitValue ?? task.exitError);
}

describe.each([
  ['bound', 0],
  ['bound, of high priority', WQ_HIGHPRI],
  ['unbound', WQ_UNBOUND],
  ['with a rescuer', WQ_MEM_RECLAIM],
])('on a queue that is %s', (_, flags) => {
  const cells = Object.entries(TABLE).flatMap(([state, row]) =>
    Object.entries(row).map(([call, expected]) => [state, call, expected] as const),
  );
  it.each(cells)('%s, %s: %s', (state, call, expected) => {
    expect(outcome(flags, state, call)).toBe(expected);
  });
});
