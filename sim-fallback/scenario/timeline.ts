// The steps of a scenario in the order of time, with those that are repeated laid out.
import { KernelError } from '../../kernel/index.js';
import type { Step } from './step.js';

/** A step that comes again. */
interface Again {
  readonly step: Step;
  readonly everyNs: number;
  nextNs: number;
  left: number;
}

/**
 * Lays steps out: each comes at its time, and a repeated one as often as it says; of those at one time, what stands first
 * in the file comes first. Reads one step ahead, and keeps nothing but the steps that are still repeated.
 *
 * @param steps in the order of time: `EINVAL` for one before its predecessor
 */
export function* timeline(steps: Iterable<Step>): Generator<Step> {
  const again: Again[] = [];
  let lastNs = 0;
  for (const step of steps) {
    if (step.atNs < lastNs) {
      const where = step.place === undefined ? '' : `${step.place}: `;
      throw new KernelError('EINVAL', `${where}the step at ${step.atNs} ns stands behind one at ${lastNs} ns`, {
        hint: 'write steps in the order of their times',
      });
    }
    lastNs = step.atNs;
    yield* until(again, step.atNs);
    yield step;
    const { repeat } = step;
    if (repeat !== undefined && repeat.count > 1) {
      again.push({ step, everyNs: repeat.everyNs, nextNs: step.atNs + repeat.everyNs, left: repeat.count - 1 });
    }
  }
  yield* until(again, Number.POSITIVE_INFINITY);
}

/** What comes again before or at `endNs`, in order; what is over is taken out. */
function* until(again: Again[], endNs: number): Generator<Step> {
  for (;;) {
    let first: Again | undefined;
    for (const one of again) if (one.nextNs <= endNs && (first === undefined || one.nextNs < first.nextNs)) first = one;
    if (first === undefined) return;
    yield { ...first.step, atNs: first.nextNs };
    first.nextNs += first.everyNs;
    if (--first.left === 0) again.splice(again.indexOf(first), 1);
  }
}

/** The steps of a list in the order of time; those at one time stay in their order. */
export function inOrder(steps: readonly Step[]): Step[] {
  return steps
    .map((step, at) => ({ step, at }))
    .sort((a, b) => a.step.atNs - b.step.atNs || a.at - b.at)
    .map(({ step }) => step);
}
