import { expect, it } from 'vitest';
import { Machine } from '../machine.js';
import { setCurrentState } from './core.js';
import { Request } from './coroutine.js';
import { current } from './current.js';
import { allowSignal, SIGKILL, SIGTERM, sendSig } from './signal.js';
import { TASK_IDLE, TASK_INTERRUPTIBLE, TASK_KILLABLE, TASK_UNINTERRUPTIBLE } from './task.js';

/** Whether a sleep in `state` ends by `sig`, which is sent before the sleep begins or while it lasts. */
function ends(state: number, sig: number, when: 'before' | 'during'): boolean {
  const machine = new Machine({ hungTaskTimeoutSecs: 0 });
  let ended = false;
  const task = machine.spawn('sleeper', function* () {
    allowSignal(SIGKILL);
    allowSignal(SIGTERM);
    setCurrentState(state);
    // As an interrupt that comes between the state and the switch, on a CPU that does not see the state yet.
    if (when === 'before') current().pendingSignals |= 1 << (sig - 1);
    yield Request.schedule;
    ended = true;
  });
  if (when === 'during') sendSig(sig, task);
  machine.advance(1_000_000);
  return ended;
}

it.each([
  ['S', TASK_INTERRUPTIBLE, true, true],
  ['D, killable', TASK_KILLABLE, false, true],
  ['D', TASK_UNINTERRUPTIBLE, false, false],
  ['I', TASK_IDLE, false, false],
])('a sleep in state %s ends by a signal, by a fatal one, whenever it is sent', (_, state, byTerm, byKill) => {
  for (const when of ['before', 'during'] as const) {
    expect([when, ends(state, SIGTERM, when), ends(state, SIGKILL, when)]).toEqual([when, byTerm, byKill]);
  }
});
