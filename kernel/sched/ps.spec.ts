import { describe, expect, it } from 'vitest';
import { Machine } from '../machine.js';
import { msleep } from '../time/delay.js';
import { showTasks, taskList } from './ps.js';

describe('the list of tasks', () => {
  it('shows class, priority, CPU and state of each, as ps does', () => {
    const machine = new Machine({ cpus: 2 });
    const spawn = (comm: string, options: Parameters<Machine['spawn']>[2]): void => {
      machine.spawn(comm, () => msleep(1000), options);
    };
    spawn('irq/49-button1', { rtPriority: 50, cpusAllowed: 0b10 });
    spawn('kworker/0:0H', { nice: -20, cpusAllowed: 1 });
    spawn('kworker/u4:0', { nice: 5, cpusAllowed: 1 });
    machine.advance(1_000_000);
    const shown = showTasks(machine).split('\n');
    expect(shown[0]).toBe('    PID CLS RTPRIO  NI PSR STAT COMMAND');
    const rows = shown.filter((row) => /irq\/|kworker/.test(row)).map((row) => row.slice(8));
    expect(rows).toEqual([
      ' FF     50   -   1 D    irq/49-button1',
      ' TS      - -20   0 D<   kworker/0:0H',
      ' TS      -   5   0 DN   kworker/u4:0',
    ]);
  });

  it('is in the order of the pids, and forgets who has ended', () => {
    const machine = new Machine();
    const before = taskList(machine).length;
    machine.spawn('short', () => undefined);
    machine.spawn('long', () => msleep(1000));
    machine.advance(1_000_000);
    const tasks = taskList(machine);
    expect(tasks).toHaveLength(before + 1);
    expect(tasks.map(({ pid }) => pid)).toEqual(tasks.map(({ pid }) => pid).sort((a, b) => a - b));
    expect(tasks.find(({ comm }) => comm === 'long')).toMatchObject({
      policy: 'SCHED_NORMAL',
      nice: 0,
      cpu: 0,
      state: 'D',
    });
  });
});
