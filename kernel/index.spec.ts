import { expect, it } from 'vitest';
import * as model from './index.js';

it('the model shows what its users need, and none of its engine', () => {
  const engine =
    /^(setAsyncOwner|switchCpu|callTimerFn|checkHz|jiffiesOf|ticksOf|initialJiffies|AlarmQueue|CpuSoftirqs|SoftirqVectors|.*Base)$/;
  expect(Object.keys(model).filter((name) => engine.test(name))).toEqual([]);
  expect(model).toMatchObject({
    Machine: expect.any(Function),
    VirtualClock: expect.any(Function),
    Hrtimer: expect.any(Function),
    thisCpu: expect.any(Function),
    jiffies: expect.any(Function),
    raiseSoftirq: expect.any(Function),
    modTimer: expect.any(Function),
  });
});
