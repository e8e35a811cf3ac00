import { describe, expect, it } from 'vitest';
import type { MachineOptions } from '../machine-options.js';
import { Completion, complete, waitForCompletion } from '../sched/completion.js';
import {
  localIrqDisable,
  localIrqEnable,
  preemptDisable,
  preemptEnable,
  preemptPoint,
  schedSetFifo,
} from '../sched/core.js';
import type { Coroutine } from '../sched/coroutine.js';
import { current, irqsDisabled } from '../sched/current.js';
import { mdelay, udelay, usleepRange } from '../time/delay.js';
import {
  __raiseSoftirqIrqoff,
  _localBhEnable,
  BLOCK_SOFTIRQ,
  HI_SOFTIRQ,
  HRTIMER_SOFTIRQ,
  IRQ_POLL_SOFTIRQ,
  localBhDisable,
  localBhEnable,
  localSoftirqPending,
  NET_RX_SOFTIRQ,
  NET_TX_SOFTIRQ,
  raiseSoftirq,
  raiseSoftirqIrqoff,
  SOFTIRQ_NAMES,
  showSoftirqs,
  TASKLET_SOFTIRQ,
} from './softirq.js';
import { softirqRig } from './softirq.spec-helper.js';

/** All vectors but TIMER and RCU log where they run. */
function rig(options: MachineOptions = {}) {
  const made = softirqRig(options);
  for (const [vector, name] of SOFTIRQ_NAMES.entries()) {
    if (vector === HI_SOFTIRQ || (vector > 1 && vector < 9)) made.machine.softirqs.open(vector, () => made.at(name));
  }
  return made;
}

describe('raised in a hard interrupt (recording 30)', () => {
  it('vectors run behind it, lowest number first, each once', () => {
    const { hard, run } = rig();
    const raised = [
      TASKLET_SOFTIRQ,
      IRQ_POLL_SOFTIRQ,
      BLOCK_SOFTIRQ,
      NET_RX_SOFTIRQ,
      NET_TX_SOFTIRQ,
      HI_SOFTIRQ,
      NET_RX_SOFTIRQ,
    ];
    const log = run(() => hard(() => raised.forEach(raiseSoftirq)));
    const names = ['HI', 'NET_TX', 'NET_RX', 'BLOCK', 'IRQ_POLL', 'TASKLET'];
    expect(log).toEqual(names.map((name) => `${name} softirq 100`));
  });

  it('a vector raised meanwhile waits for the next pass, also one ahead', () => {
    const { machine, hard, run, at } = rig();
    machine.softirqs.open(HRTIMER_SOFTIRQ, () => at('HRTIMER'));
    let first = true;
    machine.softirqs.open(IRQ_POLL_SOFTIRQ, () => {
      at('IRQ_POLL');
      if (first) [HI_SOFTIRQ, HRTIMER_SOFTIRQ, IRQ_POLL_SOFTIRQ].forEach(raiseSoftirq);
      first = false;
    });
    const log = run(() => hard(() => [BLOCK_SOFTIRQ, IRQ_POLL_SOFTIRQ, TASKLET_SOFTIRQ].forEach(raiseSoftirq)));
    expect(log.slice(0, 6).map((line) => line.split(' ')[0])).toEqual([
      'BLOCK',
      'IRQ_POLL',
      'TASKLET',
      'HI',
      'IRQ_POLL',
      'HRTIMER',
    ]);
  });

  it('interrupts come in between and do not nest softirqs', () => {
    const { machine, hard, run, at, log } = rig();
    machine.softirqs.open(BLOCK_SOFTIRQ, function* () {
      at('begin');
      machine.bootCpu.callFunction(() => {
        at('interrupt');
        raiseSoftirq(HI_SOFTIRQ);
        return 0;
      });
      yield* udelay(5);
      at('end');
    });
    run(() => hard(() => raiseSoftirq(BLOCK_SOFTIRQ)));
    expect(log).toEqual(['begin softirq 100', 'interrupt hardirq 10100', 'end softirq 100', 'HI softirq 100']);
  });
});

describe('raised in a task (recording 31)', () => {
  it('with bottom halves off they run when the outermost is enabled', () => {
    const { run, at } = rig();
    const log = run(function* () {
      localBhDisable();
      localBhDisable();
      raiseSoftirq(BLOCK_SOFTIRQ);
      raiseSoftirq(BLOCK_SOFTIRQ);
      localBhEnable();
      yield* preemptPoint();
      at('inner');
      localBhEnable();
      yield* preemptPoint();
      at('outer');
    });
    expect(log).toEqual(['inner task 200', 'BLOCK softirq 101', 'outer task 0']);
  });

  it('otherwise in ksoftirqd, whether preemption or interrupts are off or not', () => {
    const { run, at } = rig();
    const log = run(function* () {
      raiseSoftirq(BLOCK_SOFTIRQ);
      at('plain');
      yield* usleepRange(100, 100);
      preemptDisable();
      raiseSoftirq(BLOCK_SOFTIRQ);
      preemptEnable();
      yield* preemptPoint();
      at('preempt');
      yield* usleepRange(100, 100);
      localIrqDisable();
      raiseSoftirq(BLOCK_SOFTIRQ);
      localIrqEnable();
      yield* preemptPoint();
      at('irqs');
    });
    const thread = 'BLOCK softirq 100 ksoftirqd';
    expect(log).toEqual(['plain task 0', thread, 'preempt task 0', thread, 'irqs task 0', thread]);
  });

  it('__raise_softirq_irqoff wakes nobody: the next interrupt or bottom-half enable runs it', () => {
    const { run, at, hard } = rig();
    const log = run(function* () {
      preemptDisable();
      __raiseSoftirqIrqoff(BLOCK_SOFTIRQ);
      yield* usleepLess();
      expect(localSoftirqPending()).toBe(1 << BLOCK_SOFTIRQ);
      yield* hard(() => at('nothing'));
      __raiseSoftirqIrqoff(BLOCK_SOFTIRQ);
      localBhDisable();
      localBhEnable();
      yield* preemptPoint();
      preemptEnable();
    });
    expect(log).toEqual(['nothing hardirq 10001', 'BLOCK softirq 101', 'BLOCK softirq 102']);
  });

  it('they run before the caller sleeps, also without a point in between', () => {
    const { machine, run } = rig();
    const tasks: string[] = [];
    machine.softirqs.open(BLOCK_SOFTIRQ, function* () {
      yield* udelay(10);
      tasks.push(`${current().comm} ${machine.clock.now()}`);
    });
    run(function* () {
      localBhDisable();
      raiseSoftirq(BLOCK_SOFTIRQ);
      localBhEnable();
      yield* usleepRange(100, 100);
      tasks.push(`slept ${machine.clock.now()}`);
    });
    expect(tasks).toEqual(['init 10000', 'slept 100000']);
  });

  it('a hard interrupt that raises while bottom halves are off leaves it to the enable', () => {
    const { run, at, hard } = rig();
    const log = run(function* () {
      localBhDisable();
      yield* hard(() => raiseSoftirq(BLOCK_SOFTIRQ));
      at('after');
      localBhEnable();
      yield* preemptPoint();
    });
    expect(log).toEqual(['after task 200', 'BLOCK softirq 101']);
  });
});

function* usleepLess(): Coroutine<void> {
  yield* preemptPoint();
}

describe('a vector that raises itself (recording 32)', () => {
  it.each([
    [9, 9],
    [10, 10],
    [11, 10],
    [25, 10],
  ])('%i times runs %i times in place, then in ksoftirqd', (max, inline) => {
    const { machine, hard, run, at } = rig();
    let n = 0;
    machine.softirqs.open(BLOCK_SOFTIRQ, () => {
      at(String(++n));
      if (n < max) raiseSoftirq(BLOCK_SOFTIRQ);
    });
    const log = run(function* () {
      yield* hard(() => raiseSoftirq(BLOCK_SOFTIRQ));
      at('task');
    });
    const expected = Array.from({ length: max }, (_, i) => `${i + 1} softirq 100${i < inline ? '' : ' ksoftirqd'}`);
    expected.splice(inline, 0, 'task task 0');
    expect(log).toEqual(expected);
  });

  it('stops in place after 2 ms too', () => {
    const { machine, hard, run, at, log } = rig();
    let n = 0;
    machine.softirqs.open(BLOCK_SOFTIRQ, function* () {
      at(String(++n));
      yield* udelay(3000);
      if (n < 4) raiseSoftirq(BLOCK_SOFTIRQ);
    });
    run(() => hard(() => raiseSoftirq(BLOCK_SOFTIRQ)));
    machine.advance(20_000_000);
    expect(log).toEqual(['1 softirq 100', '2 softirq 100', '3 softirq 100 ksoftirqd', '4 softirq 100 ksoftirqd']);
  });
});

describe('a mistake', () => {
  it('in preempt_count is reported and put right', () => {
    const { machine, hard, run, printed } = rig();
    machine.softirqs.open(BLOCK_SOFTIRQ, function leaky() {
      preemptDisable();
    });
    run(() => hard(() => raiseSoftirq(BLOCK_SOFTIRQ)));
    expect(printed).toEqual([
      'err: softirq: huh, entered softirq 4 BLOCK leaky with preempt_count 00000100, exited with 00000101?',
    ]);
  });

  it('thrown, in a plain function or a generator, is reported and the others run', () => {
    const { machine, hard, run, printed, log } = rig();
    machine.softirqs.open(NET_TX_SOFTIRQ, () => {
      throw new Error('plain');
    });
    machine.softirqs.open(NET_RX_SOFTIRQ, function* () {
      yield* udelay(1);
      throw new Error('generator');
    });
    run(() => hard(() => [NET_TX_SOFTIRQ, NET_RX_SOFTIRQ, BLOCK_SOFTIRQ].forEach(raiseSoftirq)));
    expect(printed.map((text) => text.split('\n').slice(0, 2).join(' '))).toEqual([
      'alert: Oops: exception in softirq NET_TX Error: plain',
      'alert: Oops: exception in softirq NET_RX Error: generator',
    ]);
    expect(log).toEqual(['BLOCK softirq 100']);
  });

  it('of returning a promise is scheduling while atomic', () => {
    const { machine, hard, run, printed } = rig();
    machine.softirqs.open(BLOCK_SOFTIRQ, async () => {});
    run(() => hard(() => raiseSoftirq(BLOCK_SOFTIRQ)));
    expect(printed[0]).toMatch(
      /^emerg: BUG: scheduling while atomic: init\/2\/0x00000101\nsoftirq BLOCK returned a promise/,
    );
  });

  const whereWarned = (printed: readonly string[]): string[] =>
    printed.flatMap((text) => /^WARNING: .* (\w+)$/m.exec(text)?.[1] ?? []);

  it('of disabling and enabling bottom halves in a hard interrupt is warned of, once (recording 78i)', () => {
    const { hard, run, printed } = rig({ lockdep: false });
    const disableAndEnable = () => {
      localBhDisable();
      localBhEnable();
    };
    run(function* () {
      yield* hard(disableAndEnable);
      yield* hard(disableAndEnable);
    });
    expect(whereWarned(printed)).toEqual(['__local_bh_enable_ip']);
  });

  it('of bottom halves in a hard interrupt is seen by lockdep on both sides', () => {
    const { hard, run, printed } = rig();
    run(() =>
      hard(() => {
        localBhDisable();
        localBhEnable();
        expect(irqsDisabled()).toBe(true);
      }),
    );
    expect(whereWarned(printed)).toEqual(['__local_bh_disable_ip', '__local_bh_enable_ip', '__local_bh_enable_ip']);
  });

  it('of raising with interrupts on, where they are to be off, is seen by lockdep', () => {
    const { run, printed } = rig();
    run(function* () {
      yield* preemptPoint();
      raiseSoftirqIrqoff(BLOCK_SOFTIRQ);
      __raiseSoftirqIrqoff(BLOCK_SOFTIRQ);
    });
    expect(whereWarned(printed)).toEqual(['__raise_softirq_irqoff']);
  });

  it('of going idle with softirqs raised is made good by the next tick, if nothing interrupts before', () => {
    const { run, machine, printed, log } = rig({ lockdep: false });
    const done = new Completion();
    let ranNs = 0;
    machine.softirqs.open(BLOCK_SOFTIRQ, () => {
      ranNs = machine.clock.now();
      complete(done);
    });
    run(function* () {
      yield* usleepRange(1000, 1000);
      __raiseSoftirqIrqoff(BLOCK_SOFTIRQ);
      yield* waitForCompletion(done);
    });
    expect([ranNs, log]).toEqual([machine.tickNs, []]);
    expect(printed).toEqual([]);
  });

  it('of being busy with softirqs raised for ksoftirqd, which a task of SCHED_FIFO keeps waiting, is made good by the next tick', () => {
    const { run, machine } = rig({ lockdep: false });
    let ranNs = 0;
    machine.softirqs.open(BLOCK_SOFTIRQ, () => {
      ranNs = machine.clock.now();
    });
    run(function* () {
      schedSetFifo(current());
      raiseSoftirq(BLOCK_SOFTIRQ);
      yield* mdelay(10);
      expect(ranNs).toBe(machine.tickNs);
    });
  });
});

describe('bottom halves enabled with interrupts off', () => {
  it('run softirqs with interrupts on, and leave them off', () => {
    const { run, machine, at } = rig({ lockdep: false });
    machine.softirqs.open(BLOCK_SOFTIRQ, () => at(`BLOCK ${irqsDisabled()}`));
    const log = run(function* () {
      localBhDisable();
      raiseSoftirq(BLOCK_SOFTIRQ);
      localIrqDisable();
      localBhEnable();
      yield* preemptPoint();
      at(`task ${irqsDisabled()}`);
      localIrqEnable();
    });
    expect(log).toEqual(['BLOCK false softirq 101', 'task true task 0']);
  });

  it('with lockdep warn, and leave interrupts on', () => {
    const { run, printed } = rig();
    run(function* () {
      localIrqDisable();
      localBhDisable();
      localBhEnable();
      expect(irqsDisabled()).toBe(false);
      yield* preemptPoint();
    });
    expect(printed[0]).toMatch(/__local_bh_enable_ip$/m);
  });

  it('by _local_bh_enable leave what is raised to the next chance', () => {
    const { run, hard, at } = rig();
    const log = run(function* () {
      localBhDisable();
      localIrqDisable();
      raiseSoftirq(BLOCK_SOFTIRQ);
      _localBhEnable();
      localIrqEnable();
      yield* preemptPoint();
      at('enabled');
      yield* hard(() => {});
    });
    expect(log).toEqual(['enabled task 0', 'BLOCK softirq 100']);
  });
});

it('/proc/softirqs is byte for byte what a kernel shows', () => {
  const { machine, hard, run } = rig({ cpus: 2, extraSoftirqs: ['MY_SOFTIRQ'] });
  run(() => hard(() => raiseSoftirq(BLOCK_SOFTIRQ)));
  const row = (name: string, ...counts: number[]): string =>
    `${name.padStart(12)}:${counts.map((count) => ` ${String(count).padStart(10)}`).join('')}`;
  expect(showSoftirqs(machine).split('\n')).toEqual([
    '                    CPU0       CPU1       ',
    '          HI:          0          0',
    ...['TIMER', 'NET_TX', 'NET_RX'].map((name) => row(name, 0, 0)),
    row('BLOCK', 1, 0),
    ...['IRQ_POLL', 'TASKLET', 'SCHED', 'HRTIMER', 'MY_SOFTIRQ', 'RCU'].map((name) => row(name, 0, 0)),
    '',
  ]);
});
