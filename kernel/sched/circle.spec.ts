import { expect, it } from 'vitest';
import { Machine } from '../machine.js';
import { Tasklet, taskletSchedule } from '../softirq/tasklet.js';
import { preemptPoint } from './core.js';

it('a task that never waits is told by its name', () => {
  const machine = new Machine();
  const spin = () =>
    machine.runTask(function* () {
      for (;;) yield* preemptPoint();
    }, 'spinner');
  expect(spin).toThrow('no end of work at 0 ns: task of spinner/2 goes round in a circle');
});

it('interrupt code that starts itself again is told by its events', () => {
  const machine = new Machine();
  const t: Tasklet = new Tasklet(function again() {
    taskletSchedule(t);
  });
  const run = () =>
    machine.bootCpu.callFunction(() => {
      taskletSchedule(t);
      return 0;
    });
  expect(run).toThrow(
    /^no end of work at 0 ns: .* of ksoftirqd\/0\/\d+ goes round in a circle; last: .*tasklet_entry again/,
  );
});

it('a host that gives the model work three million times at one instant makes no circle', () => {
  const machine = new Machine();
  const fn = () => 0 as const;
  for (let i = 0; i < 3_000_000; i++) machine.bootCpu.callFunction(fn);
  expect(machine.bootCpu.interrupts).toBe(3_000_000);
});
