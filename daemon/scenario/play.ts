// Playing a scenario on a simulation: its steps at their times, its expectations looked at, to its end.
import { KernelError } from '../../kernel/errno.js';
import { type Step, type TextExpectation, timeline, unmet, unmetText } from '../../sim-fallback/index.js';
import type { Scenario } from './load.js';
import type { Simulation, SimulationEvent } from './simulation.js';

/** Time for what the last step set off, when a scenario does not say where it ends. */
const AFTER_LAST_NS = 1_000_000_000;

/** An expectation that was not met. */
export interface Unmet {
  readonly atNs: number;
  /** `FILE:LINE:COLUMN`; undefined when the step is from no file. */
  readonly place: string | undefined;
  readonly message: string;
}

/** What is seen of a play while it runs. */
export interface PlayOptions {
  /** Called for every expectation that is not met. */
  readonly onUnmet?: (unmet: Unmet) => void;
  /** Called now and then. */
  readonly onStep?: () => void;
  /** Ends it early, with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What a play has come to. */
export interface Played {
  readonly steps: number;
  readonly expectations: number;
  readonly unmet: number;
  readonly endNs: number;
}

/** When all that a step does by itself is over. */
function endOf({ atNs, action }: Step): number {
  if (action.kind === 'press') return atNs + (action.holdNs ?? 0);
  if (action.kind !== 'fault') return atNs;
  const { fault } = action;
  return atNs + ('forNs' in fault ? (fault.forNs ?? 0) : 0) + (fault.fault === 'late' ? fault.byNs : 0);
}

/** What an event says, as scenarios look for it; undefined for one that says nothing. */
export function textOf(event: SimulationEvent): string | undefined {
  switch (event.type) {
    case 'log':
      return event.text;
    case 'exec':
      return event.argv.join(' ');
    case 'http':
      return [event.method, event.url, event.body ?? ''].join(' ').trimEnd();
    case 'publish':
      return `${event.topic} ${event.payload}`.trimEnd();
    default:
      return undefined;
  }
}

/** Counts of the texts that a scenario looks for. */
class Texts {
  readonly #found: { readonly of: TextExpectation['of']; readonly text: string; count: number }[] = [];

  constructor(texts: readonly TextExpectation[]) {
    for (const { of, text } of texts) {
      if (!this.#found.some((one) => one.of === of && one.text === text)) this.#found.push({ of, text, count: 0 });
    }
  }

  saw(event: SimulationEvent): void {
    const said = textOf(event);
    if (said === undefined) return;
    for (const one of this.#found) if (one.of === event.type && said.includes(one.text)) one.count++;
  }

  count({ of, text }: TextExpectation): number {
    return this.#found.find((one) => one.of === of && one.text === text)?.count ?? 0;
  }
}

/** Does what a step says; a refusal of the board's names the step. */
export function perform(simulation: Simulation, step: Step): void {
  try {
    const { action } = step;
    if (action.kind === 'hook') simulation.hook(action.hook, action.payload);
    else if (action.kind === 'message') simulation.message(action.topic, action.payload);
    else simulation.stage.perform(step);
  } catch (error) {
    if (!(error instanceof KernelError) || step.place === undefined) throw error;
    const { code, message, hint, subject } = error;
    throw new KernelError(code, `${step.place}: ${message}`, {
      ...(hint === undefined ? {} : { hint }),
      ...(subject === undefined ? {} : { subject }),
      cause: error,
    });
  }
}

/** Plays a scenario from now on. @throws what the board refuses, with the place of the step */
export async function play(simulation: Simulation, scenario: Scenario, options: PlayOptions = {}): Promise<Played> {
  const { onStep, signal } = options;
  const startNs = simulation.nowNs;
  const texts = new Texts(scenario.texts);
  const forget = simulation.subscribe((event) => texts.saw(event));
  let steps = 0;
  let expectations = 0;
  let failed = 0;
  let lastNs = 0;
  const tell = (step: Step, messages: readonly string[]): void => {
    expectations++;
    if (messages.length > 0) failed++;
    for (const message of messages) options.onUnmet?.({ atNs: step.atNs, place: step.place, message });
  };
  try {
    for (const step of timeline(scenario.steps)) {
      const over = scenario.endNs !== undefined && step.atNs > scenario.endNs;
      if (over) break;
      await simulation.runUntil(startNs + step.atNs, onStep, signal);
      const { action } = step;
      if (action.kind === 'expect') tell(step, unmet(action.expect, simulation.line(action.expect.line)));
      else if (action.kind === 'expect-text') tell(step, unmetText(action.expect, texts.count(action.expect)));
      else perform(simulation, step);
      steps++;
      lastNs = Math.max(lastNs, endOf(step));
    }
    const endNs = scenario.endNs ?? lastNs + AFTER_LAST_NS;
    await simulation.runUntil(startNs + endNs, onStep, signal);
    return { steps, expectations, unmet: failed, endNs };
  } finally {
    forget();
  }
}
