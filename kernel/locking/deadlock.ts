// Deadlocks that have happened: who waits for whom, found when the last one goes to sleep or when nothing moves any more.
import type { Machine } from '../machine.js';
import { TASK_RUNNING, type Task } from '../sched/task.js';
import { placeName } from './place.js';

function name(task: Task): string {
  return `${task.comm}/${task.pid}`;
}

/** One line for a task that cannot go on. */
function waitLine(task: Task): string {
  const { blockedOn, stateLetter } = task;
  if (blockedOn === undefined) return ` ${name(task)} (${stateLetter}) sleeps until somebody wakes it`;
  const { describe, owner } = blockedOn;
  const held = owner === undefined ? '' : `, held by ${name(owner)}${owner.exited ? ', which has ended' : ''}`;
  return ` ${name(task)} (${stateLetter}) waits for ${describe}${held}`;
}

/** The locks that a task holds, with the places where it took them. */
function holdLines(task: Task): string[] {
  const held = task.heldLocks.filter(({ map }) => map !== task.blockedOn?.map);
  return held.map(({ map, place }) => `    holds ${map.name}, taken at ${placeName(place)}`);
}

/** The tasks that wait for each other in a circle that `task` has just closed; empty if there is none. */
function circleOf(task: Task): Task[] {
  const circle = [task];
  for (let next = task.blockedOn?.owner; next !== undefined; next = next.blockedOn?.owner) {
    if (next === task) return circle;
    if (circle.includes(next)) return [];
    circle.push(next);
  }
  return [];
}

/** Reports the circle that a task closes by going to sleep for a lock. What sleeps in it sleeps for ever. */
export function reportCircle(machine: Machine, task: Task): void {
  const circle = circleOf(task);
  if (circle.length === 0) return;
  const lines = circle.flatMap((member) => [waitLine(member), ...holdLines(member)]);
  machine.tainted = true;
  machine.printk('err', [`INFO: deadlock: ${name(task)} can never go on`, ...lines].join('\n'));
}

/** Says why a task will never end: all tasks that are stuck. `why` follows what the task does. */
export function deadlockText(machine: Machine, task: Task, why: string): string {
  const stuck = [...machine.tasks].filter((other) => other.blockedOn !== undefined && other !== task);
  const lines = [task, ...stuck].flatMap((member) => [waitLine(member), ...holdLines(member)]);
  const state = task.state === TASK_RUNNING ? 'cannot go on' : 'sleeps';
  return [`task ${name(task)} ${state}, and ${why}`, ...lines].join('\n');
}
