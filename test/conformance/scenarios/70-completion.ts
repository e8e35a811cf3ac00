// Completions count; waiters are let through in the order in which they came, one for each complete().
import {
  COMPLETED_FOR_EVER,
  Completion,
  complete,
  completeAll,
  completionDone,
  preemptDisable,
  reinitCompletion,
  tryWaitForCompletion,
  waitForCompletion,
  waitForCompletionInterruptible,
  waitForCompletionTimeout,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

const bit = (value: boolean): number => (value ? 1 : 0);

function state(o: Oracle, at: string, x: Completion): void {
  o.log('completion', { at, done: x.done, completion_done: bit(completionDone(x)) });
}

function* counting(o: Oracle, x: Completion) {
  o.variant('complete-before-wait');
  state(o, 'init', x);
  for (const at of ['complete1', 'complete2']) {
    complete(x);
    state(o, at, x);
  }
  for (const at of ['wait1', 'wait2']) {
    yield* waitForCompletion(x);
    state(o, at, x);
  }
  o.variant('try_wait');
  o.log('try_wait_for_completion', { ret: bit(tryWaitForCompletion(x)) });
  complete(x);
  o.log('try_wait_for_completion', { ret: bit(tryWaitForCompletion(x)) });
  state(o, 'after', x);
}

function* timeouts(o: Oracle, x: Completion) {
  o.variant('timeout-values');
  const wait = 'wait_for_completion_timeout';
  yield* o.base();
  const ret = yield* waitForCompletionTimeout(x, 3);
  o.log(wait, { arg: 3, ret, jiffies: o.j() });
  o.log(wait, { arg: '0 not-done', ret: yield* waitForCompletionTimeout(x, 0) });
  complete(x);
  o.log(wait, { arg: '10 already-done', ret: yield* waitForCompletionTimeout(x, 10) });
  complete(x);
  o.log(wait, { arg: '0 already-done', ret: yield* waitForCompletionTimeout(x, 0) });
  complete(x);
  o.log('wait_for_completion_interruptible', { ret: yield* waitForCompletionInterruptible(x), note: 'already-done' });
}

function* all(o: Oracle, x: Completion) {
  o.variant('complete_all');
  const forEver = (): { done_is_UINT_MAX: number } => ({ done_is_UINT_MAX: bit(x.done === COMPLETED_FOR_EVER) });
  completeAll(x);
  o.log('completion', forEver());
  for (let i = 0; i < 3; i++) yield* waitForCompletion(x);
  o.log('completion', { ...forEver(), completion_done: bit(completionDone(x)), note: 'after 3 waits' });
  complete(x);
  o.log('completion', { ...forEver(), note: 'after complete' });
  reinitCompletion(x);
  state(o, 'reinit', x);
}

function* waiter(o: Oracle, x: Completion, t: string, timeout?: number) {
  yield* o.thread(t, function* () {
    o.log('wait.begin', { t });
    if (timeout === undefined) {
      yield* waitForCompletion(x);
      o.log('wait.end', { t });
    } else {
      const ret = yield* waitForCompletionTimeout(x, timeout);
      o.log('wait.end', { t, ret: ret === 0 ? 0 : 'remaining' });
    }
  });
  yield* o.sleep(8);
}

function* three(o: Oracle, x: Completion, variant: string) {
  o.variant(variant);
  for (const t of ['w1', 'w2', 'w3']) yield* waiter(o, x, t);
}

function* waiting(o: Oracle, x: Completion) {
  yield* three(o, x, 'three-waiters-complete-one-by-one');
  for (let n = 1; n <= 3; n++) {
    o.log('complete', { n });
    complete(x);
    yield* o.sleep(8);
  }
  state(o, 'end', x);
  yield* three(o, x, 'three-waiters-complete-twice-in-a-row');
  preemptDisable();
  complete(x);
  complete(x);
  o.log('completed twice');
  yield* o.preemptEnable();
  yield* o.sleep(8);
  state(o, 'mid', x);
  complete(x);
  yield* o.sleep(8);
  yield* three(o, x, 'three-waiters-complete_all');
  preemptDisable();
  completeAll(x);
  o.log('complete_all');
  yield* o.preemptEnable();
  yield* o.sleep(8);
  reinitCompletion(x);
}

export default function* (o: Oracle) {
  const x = new Completion();
  yield* counting(o, x);
  yield* timeouts(o, x);
  yield* all(o, x);
  yield* waiting(o, x);
  o.variant('waiter-with-timeout-completed');
  yield* waiter(o, x, 'w4', 50);
  complete(x);
  yield* o.sleep(8);
  o.variant('waiter-with-timeout-expires');
  yield* waiter(o, x, 'w4', 5);
  yield* o.sleep(60);
  o.variant('complete-from-hardirq');
  yield* waiter(o, x, 'w1');
  yield* o.hard(() => {
    o.log('complete in hardirq');
    complete(x);
    o.log('complete returned');
  });
  o.log('task.after');
}
