// Delayed work is cancelled and flushed in each of its states.
import {
  allocWorkqueue,
  cancelDelayedWork,
  cancelDelayedWorkSync,
  destroyWorkqueue,
  flushDelayedWork,
  modDelayedWork,
  queueDelayedWork,
  type Workqueue,
} from '../../../kernel/index.js';
import type { LoggedDelayedWork, Oracle } from '../vocabulary.js';
import { ret } from './_helpers.js';

function* notRunning(o: Oracle, wq: Workqueue, da: LoggedDelayedWork) {
  o.variant('cancel');
  ret(o, 'idle', cancelDelayedWork(da));
  queueDelayedWork(wq, da, 5);
  ret(o, 'timer', cancelDelayedWork(da));
  ret(o, 'again', yield* cancelDelayedWorkSync(da));
  queueDelayedWork(wq, da, 0);
  ret(o, 'worklist', cancelDelayedWork(da));
  yield* o.sleep(10);
  o.variant('flush');
  ret(o, 'idle', yield* flushDelayedWork(da));
  yield* o.base();
  queueDelayedWork(wq, da, 50);
  ret(o, 'timer', yield* flushDelayedWork(da));
  o.log('j', { small: Number(o.j() < 10) });
}

function* running(o: Oracle, wq: Workqueue, da: LoggedDelayedWork) {
  o.variant('running');
  da.sleep = 12;
  queueDelayedWork(wq, da, 0);
  yield* o.sleep(4);
  ret(o, 'queue 5', queueDelayedWork(wq, da, 5));
  ret(o, 'cancel_sync', yield* cancelDelayedWorkSync(da));
  o.log('cancelled');
  yield* o.sleep(30);
  o.variant('arms itself');
  da.sleep = 0;
  da.runs = 0;
  da.inWork = (run) => {
    if (run < 3) ret(o, 'mod', modDelayedWork(wq, da, 2));
  };
  queueDelayedWork(wq, da, 1);
  yield* o.sleep(60);
  o.variant('arms itself, cancelled while it runs');
  da.runs = 0;
  da.sleep = 8;
  queueDelayedWork(wq, da, 0);
  yield* o.sleep(4);
  ret(o, 'cancel_sync', yield* cancelDelayedWorkSync(da));
  yield* o.sleep(40);
}

export default function* (o: Oracle) {
  const wq = allocWorkqueue('oracle', 0, 0);
  const da = o.delayedWork('da');
  const db = o.delayedWork('db');
  yield* notRunning(o, wq, da);
  yield* running(o, wq, da);
  o.variant('on an exiting queue');
  queueDelayedWork(wq, db, 2);
  ret(o, 'mod 0', modDelayedWork(wq, db, 0));
  yield* destroyWorkqueue(wq);
  o.log('destroyed');
}
