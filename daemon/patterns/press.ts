// How a button is pressed: once, twice, for long, held; told from its edges and from the time, and from nothing else.
import type { PressPattern } from '../config/action-types.js';

/** A way to press that is looked for. */
export interface PressRule {
  readonly on: PressPattern;
  /** `long`, `hold`, `release`: how long the button must be held, in ns. */
  readonly afterNs: number;
  /** `double`: the second press comes less than this after the release of the first, in ns. */
  readonly withinNs: number;
  /** `hold`: from one repetition to the next, in ns. */
  readonly everyNs: number;
}

/** @param rule number of the rule; `heldNs`: how long the button had been held at `atNs`; `count`: repetition, from 1 */
export type OnPress = (rule: number, atNs: number, heldNs: number, count: number) => void;

const NEVER = Number.POSITIVE_INFINITY;

/**
 * One button. It decides by the stamps of edges, so one that is late to be told of an edge decides no differently; only {@link elapse}
 * needs to be called in time, at {@link dueNs}. All times are ns of one clock.
 *
 * - `long` comes while the button is held, `hold` then and again and again, `release` when it is let go after that long.
 * - `single` is a press that none of them has claimed. It comes at the release, or, if there is a `double`, when no second press can
 *   come in time any more.
 * - `double` comes at the second press, whose own length then means nothing.
 */
export class PressRecognizer {
  readonly #rules: readonly PressRule[];
  readonly #onPress: OnPress;
  /** From here on a press is no short one. */
  readonly #longNs: number;
  readonly #doubleNs: number;
  #down = false;
  /** The press that is under way means nothing any more. */
  #spent = false;
  #pressNs = 0;
  /** A short press ended then, and may become a double one; NEVER for none. */
  #shortNs = NEVER;
  #shortHeldNs = 0;
  /** By rule: when it is due in the press that is under way. */
  readonly #due: Float64Array;
  readonly #counts: Float64Array;

  constructor(rules: readonly PressRule[], onPress: OnPress) {
    this.#rules = rules;
    this.#onPress = onPress;
    this.#due = new Float64Array(rules.length).fill(NEVER);
    this.#counts = new Float64Array(rules.length);
    const timed = rules.filter(({ on }) => on === 'long' || on === 'hold' || on === 'release');
    this.#longNs = Math.min(NEVER, ...timed.map(({ afterNs }) => afterNs));
    this.#doubleNs = Math.max(-1, ...rules.filter(({ on }) => on === 'double').map(({ withinNs }) => withinNs));
  }

  /** The button is down, as far as edges have said. */
  get down(): boolean {
    return this.#down;
  }

  /** When {@link elapse} has something to do; infinite when that depends on the next edge. */
  get dueNs(): number {
    let due = this.#shortNs + this.#doubleNs;
    for (const at of this.#due) if (at < due) due = at;
    return due;
  }

  /** The button has been pressed. @param spent something else has claimed this press */
  press(atNs: number, spent = false): void {
    this.elapse(atNs);
    const second = this.#shortNs !== NEVER;
    // No release was seen of the press before: how it ended is not known.
    this.#down = true;
    this.#pressNs = atNs;
    this.#spent = spent || second;
    if (second && spent) this.#tellShort(atNs);
    else if (second) this.#tell('double', atNs, 0);
    this.#shortNs = NEVER;
    this.#rules.forEach(({ on, afterNs }, rule) => {
      const timed = !this.#spent && (on === 'long' || on === 'hold');
      this.#due[rule] = timed ? atNs + afterNs : NEVER;
      this.#counts[rule] = 0;
    });
  }

  /** The button has been let go. */
  release(atNs: number): void {
    this.elapse(atNs);
    if (!this.#down) return;
    const heldNs = atNs - this.#pressNs;
    const spent = this.#spent;
    this.lost();
    if (spent) return;
    this.#rules.forEach(({ on, afterNs }, rule) => {
      if (on === 'release' && heldNs >= afterNs) this.#onPress(rule, atNs, heldNs, 1);
    });
    if (heldNs >= this.#longNs) return;
    this.#shortHeldNs = heldNs;
    if (this.#doubleNs < 0) this.#tellShort(atNs);
    else this.#shortNs = atNs;
  }

  /** The button is up, and when it was let go is not known: its press comes to nothing. */
  lost(): void {
    this.#down = false;
    this.#due.fill(NEVER);
  }

  /** The newest press was part of something else, and comes to nothing more: it is under way, or may still become a double one. */
  spend(): void {
    this.#spent = true;
    this.#shortNs = NEVER;
    this.#due.fill(NEVER);
  }

  /** Time has gone on until `nowNs`. Repetitions that were missed are counted, not made up for. */
  elapse(nowNs: number): void {
    for (let due = this.dueNs; due <= nowNs; due = this.dueNs) {
      if (this.#shortNs + this.#doubleNs === due) {
        this.#shortNs = NEVER;
        this.#tellShort(due);
      }
      this.#rules.forEach((rule, at) => {
        if (this.#due[at] === due) this.#repeat(rule, at, due, nowNs);
      });
    }
  }

  #repeat({ on, everyNs }: PressRule, rule: number, dueNs: number, nowNs: number): void {
    const missed = on === 'hold' ? Math.floor((nowNs - dueNs) / everyNs) : 0;
    const atNs = dueNs + missed * everyNs;
    const count = (this.#counts[rule] ?? 0) + 1 + missed;
    this.#counts[rule] = count;
    this.#due[rule] = on === 'hold' ? atNs + everyNs : NEVER;
    this.#onPress(rule, atNs, atNs - this.#pressNs, count);
  }

  #tellShort(atNs: number): void {
    this.#tell('single', atNs, this.#shortHeldNs);
  }

  #tell(on: PressPattern, atNs: number, heldNs: number): void {
    this.#rules.forEach((rule, at) => {
      if (rule.on === on) this.#onPress(at, atNs, heldNs, 1);
    });
  }
}
