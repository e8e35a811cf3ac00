// Steps of a scenario: what happens to the board, what goes wrong, and what is expected, each at its time.
import type { Level } from '../../kernel/index.js';
import type { BounceOptions } from '../board/bounce.js';

/** Bounce of a contact: `true` for the default model. */
export type StepBounce = boolean | BounceOptions;

/** What goes wrong. Times are ns. Lines are named as in the configuration. */
export type Fault =
  /** The contact of a line chatters, as when somebody knocks on the box. It ends as it began. */
  | { readonly fault: 'bounce'; readonly line: string; readonly bounce: BounceOptions }
  /** A short pulse: the line turns round for so long. Shorter than two ticks of the core clock (8 ns), nobody may see it. */
  | { readonly fault: 'glitch'; readonly line: string; readonly widthNs: number }
  /** The line turns round again and again: so many edges a second, evenly spaced. */
  | { readonly fault: 'storm'; readonly line: string; readonly ratePerSec: number; readonly forNs: number }
  /** The line stays at a logical level, whatever is done to it. */
  | { readonly fault: 'stuck'; readonly line: string; readonly value: Level; readonly forNs: number }
  /** The next edges of the line are lost in the kernel: their numbers are missing. */
  | { readonly fault: 'lost'; readonly line: string; readonly count: number }
  /** For so long, each edge reaches the daemon later than it was stamped. */
  | { readonly fault: 'late'; readonly byNs: number; readonly forNs: number }
  /** Nobody reads the kernel's FIFO for so long: what it has no room for is lost, the oldest first. */
  | { readonly fault: 'overflow'; readonly forNs: number }
  /** The chip is gone, and is back after so long; without a time for good. */
  | { readonly fault: 'unplug'; readonly forNs: number | undefined };

/** Names of the faults. */
export const FAULTS = ['bounce', 'glitch', 'storm', 'stuck', 'lost', 'late', 'overflow', 'unplug'] as const;

/** What a line is expected to be, or to have counted since the start; what is left out may be anything. */
export interface LineExpectation {
  readonly line: string;
  /** Logical level. */
  readonly value?: Level;
  /** Edges that reached the model. */
  readonly rising?: number;
  readonly falling?: number;
  /** Edges that were lost before they could be read. */
  readonly lost?: number;
  /** Edges whose thread or work had no room. */
  readonly dropped?: number;
}

/** A text that must be part of so many entries of the log, or of what was called and sent; without a count, of at least one. */
export interface TextExpectation {
  readonly of: 'log' | 'exec' | 'http' | 'publish';
  readonly text: string;
  readonly count: number | undefined;
}

/** What a step does. */
export type StepAction =
  | {
      readonly kind: 'press';
      readonly line: string;
      readonly holdNs: number | undefined;
      readonly bounce: StepBounce | undefined;
    }
  | { readonly kind: 'release'; readonly line: string; readonly bounce: StepBounce | undefined }
  /** A wire with a logical level, or with nothing on it, is held to the line. */
  | { readonly kind: 'level'; readonly line: string; readonly value: Level | 'float' }
  | { readonly kind: 'fault'; readonly fault: Fault }
  /** A hook of the API is called, or a message comes, as from a broker. */
  | { readonly kind: 'hook'; readonly hook: string; readonly payload: string }
  | { readonly kind: 'message'; readonly topic: string; readonly payload: string }
  | { readonly kind: 'expect'; readonly expect: LineExpectation }
  | { readonly kind: 'expect-text'; readonly expect: TextExpectation };

/** A step: at its time, and as often again as `repeat` says. */
export interface Step {
  /** Since the start of the scenario, in ns. */
  readonly atNs: number;
  readonly action: StepAction;
  /** So many times in all, `everyNs` apart. */
  readonly repeat?: { readonly everyNs: number; readonly count: number };
  /** Where it stands in its file, for messages: `FILE:LINE:COLUMN`. */
  readonly place?: string;
}

/** The line that a step names, if it names one. */
export function lineOf(action: StepAction): string | undefined {
  switch (action.kind) {
    case 'expect':
      return action.expect.line;
    case 'expect-text':
    case 'hook':
    case 'message':
      return undefined;
    case 'fault':
      return 'line' in action.fault ? action.fault.line : undefined;
    default:
      return action.line;
  }
}
