// What is left behind, in whatever context it is called: preemption off, interrupts off, bottom halves off.
import { localBhDisable, localIrqDisable, preemptDisable } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export function leaksCount(o: Oracle) {
  return () => {
    preemptDisable();
    o.log('leaks a count');
  };
}

export function leaksIrqsOff(o: Oracle) {
  return () => {
    localIrqDisable();
    o.log('leaks irqs off');
  };
}

export function leaksBh(o: Oracle) {
  return () => {
    localBhDisable();
    o.log('leaks bh');
  };
}
