// NAPI: each instance is polled once a pass, within its weight and the budget; scheduling one that is scheduled has it polled once more.
import {
  type Coroutine,
  localBhDisable,
  NapiStruct,
  NET_RX_SOFTIRQ,
  NetDevice,
  napiCompleteDone,
  napiDisable,
  napiEnable,
  napiSchedule,
  netifNapiAddWeight,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

/** An instance with so many packets left, which logs its polls. */
class Logged extends NapiStruct {
  readonly napi: number;
  left = 0;
  calls = 0;
  /** Done behind napi_complete_done(). */
  afterComplete: () => void = () => {};

  constructor(napi: number) {
    super();
    this.napi = napi;
  }

  start(left: number): this {
    this.left = left;
    this.calls = 0;
    return this;
  }
}

const bit = (value: boolean): number => (value ? 1 : 0);

function pollOf(o: Oracle, self: Logged): (napi: NapiStruct, budget: number) => number {
  return (napi, budget) => {
    const done = Math.min(self.left, budget);
    self.left -= done;
    o.log('poll', { napi: self.napi, call: ++self.calls, budget, done, left: self.left });
    if (done < budget) {
      o.log('napi_complete_done', { napi: self.napi, ret: bit(napiCompleteDone(napi, done)) });
      self.afterComplete();
    }
    return done;
  };
}

function logVector(o: Oracle): void {
  const { softirqs } = o.machine;
  const action = softirqs.action(NET_RX_SOFTIRQ);
  softirqs.open(NET_RX_SOFTIRQ, () => {
    o.log('net_rx_action.begin');
    const outcome = action?.();
    o.log('net_rx_action.end');
    return outcome;
  });
}

type Call = readonly [napi: Logged, label: number | string];

function* scheduleInHardirq(o: Oracle, ...calls: readonly Call[]): Coroutine<void> {
  yield* o.base();
  yield* o.hard(() => {
    for (const [napi, label] of calls) o.log('napi_schedule', { napi: label, ret: bit(napiSchedule(napi)) });
    if (calls.length > 1) o.log('hardirq.end');
  });
  o.log('task.after');
}

function* packets(o: Oracle, napi: Logged, left: number): Coroutine<void> {
  o.variant(`packets-${left}`);
  napi.start(left);
  const again: Call[] = left === 300 ? [[napi, '0 again']] : [];
  yield* scheduleInHardirq(o, [napi, 0], ...again);
  yield* o.sleep(40);
  o.log('result', { polls: napi.calls, left: napi.left });
}

function* several(o: Oracle, napis: readonly Logged[], napi0: Logged, napi1: Logged): Coroutine<void> {
  o.variant('two-napis-200-and-100(weight16)');
  yield* scheduleInHardirq(o, [napi0.start(200), 0], [napi1.start(100), 1]);
  yield* o.sleep(40);
  o.log('result', { polls0: napi0.calls, polls1: napi1.calls });
  o.variant('eight-napis-130-packets-each(weight-64;16-for-napi1)');
  yield* scheduleInHardirq(o, ...napis.map((napi): Call => [napi.start(130), napi.napi]));
  yield* o.sleep(40);
}

function* again(o: Oracle, napi: Logged): Coroutine<void> {
  o.variant('reschedule-after-complete');
  napi.afterComplete = () => {
    napi.afterComplete = () => {};
    napi.left = 5;
    o.log('napi_schedule after complete', { napi: 0, ret: bit(napiSchedule(napi)) });
  };
  yield* scheduleInHardirq(o, [napi.start(5), 0]);
  yield* o.sleep(40);
}

function* fromTask(o: Oracle, napi: Logged): Coroutine<void> {
  o.variant('schedule-from-task-bh-on');
  napi.start(5);
  o.log('napi_schedule', { napi: 0, ret: bit(napiSchedule(napi)) });
  yield* o.point();
  o.log('task.after');
  yield* o.sleep(20);
  o.variant('schedule-from-task-bh-off');
  napi.start(5);
  localBhDisable();
  o.log('napi_schedule', { napi: 0, ret: bit(napiSchedule(napi)) });
  o.log('task.scheduled');
  yield* o.localBhEnable();
  o.log('task.bh_enabled');
  o.variant('napi_disable');
  yield* napiDisable(napi);
  o.log('napi_schedule', { when: 'disabled', ret: bit(napiSchedule(napi)) });
  napiEnable(napi);
  o.log('napi_schedule', { when: 're-enabled', ret: bit(napiSchedule(napi)) });
  yield* o.sleep(20);
}

export default function* (o: Oracle) {
  const dev = new NetDevice();
  const napi0 = new Logged(0);
  const napi1 = new Logged(1);
  const napis = [napi0, napi1, ...[2, 3, 4, 5, 6, 7].map((napi) => new Logged(napi))];
  for (const napi of napis) netifNapiAddWeight(dev, napi, pollOf(o, napi), napi === napi1 ? 16 : 64);
  logVector(o);
  o.variant('before-napi_enable');
  o.log('napi_schedule', { ret: bit(napiSchedule(napi0)) });
  for (const napi of napis) napiEnable(napi);
  for (const left of [0, 10, 63, 64, 65, 200, 300, 1000]) yield* packets(o, napi0, left);
  yield* several(o, napis, napi0, napi1);
  yield* again(o, napi0);
  yield* fromTask(o, napi0);
}
