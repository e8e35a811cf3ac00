// Softirqs run in ascending order, each once a pass, at the end of the hard interrupt.
import {
  BLOCK_SOFTIRQ,
  HI_SOFTIRQ,
  HRTIMER_SOFTIRQ,
  IRQ_POLL_SOFTIRQ,
  NET_RX_SOFTIRQ,
  NET_TX_SOFTIRQ,
  openSoftirq,
  raiseSoftirq,
  SOFTIRQ_NAMES,
  TASKLET_SOFTIRQ,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

const LOGGED = [
  HI_SOFTIRQ,
  NET_TX_SOFTIRQ,
  NET_RX_SOFTIRQ,
  BLOCK_SOFTIRQ,
  IRQ_POLL_SOFTIRQ,
  TASKLET_SOFTIRQ,
  HRTIMER_SOFTIRQ,
];

export default function* (o: Oracle) {
  const vec = (vector: number): string => SOFTIRQ_NAMES[vector] ?? '?';
  const raise = (vector: number): void => {
    o.log('raise', { vec: vec(vector) });
    raiseSoftirq(vector);
  };
  let more: readonly number[] = [];
  for (const vector of LOGGED) {
    openSoftirq(vector, () => {
      o.log('softirq', { vec: vec(vector) });
      if (vector !== IRQ_POLL_SOFTIRQ) return;
      for (const other of more) raise(other);
      more = [];
    });
  }
  const variant = function* (name: string, vectors: readonly number[]) {
    o.variant(name);
    o.log('task.before');
    yield* o.hard(() => {
      for (const vector of vectors) raise(vector);
      o.log('hardirq.end');
    });
    o.log('task.after');
    yield* o.sleep(10);
  };
  yield* variant('all-raised-in-one-handler', [
    HRTIMER_SOFTIRQ,
    TASKLET_SOFTIRQ,
    IRQ_POLL_SOFTIRQ,
    BLOCK_SOFTIRQ,
    NET_RX_SOFTIRQ,
    NET_TX_SOFTIRQ,
    HI_SOFTIRQ,
    NET_RX_SOFTIRQ,
  ]);
  more = [HI_SOFTIRQ, HRTIMER_SOFTIRQ, IRQ_POLL_SOFTIRQ];
  yield* variant('vector-5-raises-0-8-and-5-while-running', [BLOCK_SOFTIRQ, IRQ_POLL_SOFTIRQ, TASKLET_SOFTIRQ]);
}
