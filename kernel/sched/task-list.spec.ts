import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Machine } from '../machine.js';
import type { Task } from './task.js';
import { TaskList } from './task-list.js';

const TASKS = 8;

function tasksOf(list: TaskList): Task[] {
  const tasks: Task[] = [];
  for (let task = list.first; task !== undefined; task = task.nextOnRq) tasks.push(task);
  return tasks;
}

it('a list keeps tasks by key, and equal ones in the order in which they came, whoever comes and goes', () => {
  const machine = new Machine();
  const tasks = Array.from({ length: TASKS }, (_, i) => machine.create(`t${i}`, () => undefined));
  const steps = fc.array(fc.tuple(fc.nat(TASKS - 1), fc.nat(3)), { maxLength: 60 });
  fc.assert(
    fc.property(steps, (toggles) => {
      const list = new TaskList();
      let expected: Task[] = [];
      for (const [index, key] of toggles) {
        const task = tasks[index];
        if (task === undefined) throw new Error('no such task');
        if (expected.includes(task)) {
          list.remove(task);
          expected = expected.filter((other) => other !== task);
        } else {
          list.insert(task, key);
          const behind = expected.findIndex((other) => other.rqKey > key);
          expected.splice(behind < 0 ? expected.length : behind, 0, task);
        }
        expect(tasksOf(list)).toEqual(expected);
        expect(list.length).toBe(expected.length);
      }
      for (const task of expected) list.remove(task);
    }),
  );
});
