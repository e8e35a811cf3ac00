// The shortest list of steps that still fails, by leaving out and simplifying (after Zeller's ddmin).
import type { Step } from '../../sim-fallback/index.js';

/** Trials after which what was found so far has to do. */
const MAX_TRIALS = 400;

/** A step in simpler forms, the simplest first. */
function* simpler(step: Step): Generator<Step> {
  const { action, repeat, ...rest } = step;
  if (repeat !== undefined) yield { ...rest, action };
  if (action.kind === 'press' && action.bounce !== undefined)
    yield { ...step, action: { ...action, bounce: undefined } };
  // Round times are read more easily.
  for (const unit of [1e9, 1e8, 1e7, 1e6, 1e5, 1e4]) {
    const atNs = Math.round(step.atNs / unit) * unit;
    if (atNs !== step.atNs && atNs > 0) yield { ...step, atNs };
  }
}

/** @param fails whether a list fails; the one given does */
export async function shrink(
  steps: readonly Step[],
  fails: (steps: readonly Step[]) => Promise<boolean>,
): Promise<readonly Step[]> {
  let best = steps;
  let trials = 0;
  const attempt = async (candidate: readonly Step[]): Promise<boolean> => {
    if (trials++ >= MAX_TRIALS || !(await fails(candidate))) return false;
    best = candidate;
    return true;
  };
  for (let size = Math.ceil(best.length / 2); size >= 1; ) {
    let left = false;
    for (let start = 0; start < best.length; ) {
      const candidate = [...best.slice(0, start), ...best.slice(start + size)];
      if (await attempt(candidate)) left = true;
      else start += size;
    }
    if (size === 1 && !left) break;
    size = size === 1 ? 1 : Math.ceil(size / 2);
    if (trials >= MAX_TRIALS) break;
  }
  for (let i = 0; i < best.length; i++) {
    const step = best[i];
    if (step === undefined) continue;
    for (const candidate of simpler(step)) {
      const changed = best.map((other, at) => (at === i ? candidate : other));
      const ordered = changed.every(({ atNs }, at) => at === 0 || atNs >= (changed[at - 1]?.atNs ?? 0));
      if (ordered && (await attempt(changed))) break;
    }
  }
  return best;
}
