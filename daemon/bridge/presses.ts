// The presses of one line's button: edges and a timer of the model in, work items out.
import {
  type GpioDesc,
  gpiodGetValue,
  HRTIMER_MODE_ABS,
  HRTIMER_NORESTART,
  Hrtimer,
  hrtimerStart,
  hrtimerTryToCancel,
  type Work,
} from '../../kernel/index.js';
import { type OccasionLine, pressOccasion } from '../actions/occasion.js';
import type { PatternSpec } from '../config/action-types.js';
import { PressRecognizer } from '../patterns/press.js';
import type { InterruptHost } from './host.js';
import { OccasionWork } from './occasion-work.js';

/** A button that is up although no edge has said so: how long its edge is waited for. */
const EDGE_DUE_NS = 50_000_000;
/** A timer that is later than this has been held up, and so have edges that are older than its time. */
const LATE_NS = 1_000_000;
/** How long such a timer waits once more: for the event loop to read them. */
const READING_NS = 1_000_000;

/** Looks for the patterns of one line. */
export class LinePresses {
  readonly #host: InterruptHost;
  readonly #desc: GpioDesc;
  readonly #of: OccasionLine;
  readonly #specs: readonly PatternSpec[];
  readonly #items: readonly OccasionWork[];
  readonly #recognizer: PressRecognizer;
  readonly #timer = new Hrtimer(() => this.#due());
  readonly #hasEdges: () => boolean;
  #missesEdge = false;
  #reading = false;

  /**
   * Errors as {@link OccasionWork}'s.
   *
   * @param hasEdges whether edges wait to be told to {@link edge}: they come before the time that has passed
   */
  constructor(
    host: InterruptHost,
    desc: GpioDesc,
    of: OccasionLine,
    specs: readonly PatternSpec[],
    hasEdges: () => boolean,
  ) {
    this.#host = host;
    this.#desc = desc;
    this.#of = of;
    this.#specs = specs;
    this.#hasEdges = hasEdges;
    this.#items = specs.map((spec) => new OccasionWork({ host, name: of.name }, spec));
    this.#recognizer = new PressRecognizer(specs, (rule, atNs, heldNs, count) => this.#tell(rule, atNs, heldNs, count));
  }

  /** Work items that may be queued or running. */
  get works(): readonly Work[] {
    return this.#items.map(({ work }) => work);
  }

  /** An edge of the line. @param spent its press is part of a chord */
  edge(pressed: boolean, atNs: number, spent: boolean): void {
    this.#missesEdge = false;
    this.#reading = false;
    if (pressed) this.#recognizer.press(atNs, spent);
    else this.#recognizer.release(atNs);
  }

  /** The press that is under way is part of a chord. */
  spend(): void {
    this.#recognizer.spend();
  }

  /** No edge is left to be told: time goes on. Process context. */
  settle(): void {
    this.#recognizer.elapse(this.#host.nowNs());
    this.#arm();
  }

  /** Looks for nothing more; what was found is still done. */
  end(): void {
    hrtimerTryToCancel(this.#timer);
    this.#recognizer.lost();
  }

  /** As {@link end}, and forgets what no work item has begun with. @returns how many of those. */
  cancel(): number {
    this.end();
    return this.#items.reduce((sum, item) => sum + item.cancel(), 0);
  }

  /** Hard interrupt context. */
  #due(): number {
    // The thread goes on from here when it has told those.
    if (this.#hasEdges()) return HRTIMER_NORESTART;
    const nowNs = this.#host.nowNs();
    this.#reading = !this.#reading && nowNs - this.#recognizer.dueNs > LATE_NS;
    if (this.#reading) {
      hrtimerStart(this.#timer, nowNs + READING_NS, HRTIMER_MODE_ABS);
      return HRTIMER_NORESTART;
    }
    if (this.#recognizer.down && !this.#isDown()) {
      if (this.#missesEdge) this.#recognizer.lost();
      this.#missesEdge = !this.#missesEdge;
      if (this.#missesEdge) {
        hrtimerStart(this.#timer, nowNs + EDGE_DUE_NS, HRTIMER_MODE_ABS);
        return HRTIMER_NORESTART;
      }
    }
    this.settle();
    return HRTIMER_NORESTART;
  }

  /** Edges can be lost, and a button that seems to be held for ever must not repeat for ever. */
  #isDown(): boolean {
    try {
      return gpiodGetValue(this.#desc) === 1;
    } catch {
      // Its chip is away, and tells of that itself.
      return false;
    }
  }

  #arm(): void {
    const { dueNs } = this.#recognizer;
    if (dueNs === Number.POSITIVE_INFINITY) hrtimerTryToCancel(this.#timer);
    else hrtimerStart(this.#timer, dueNs, HRTIMER_MODE_ABS);
  }

  #tell(rule: number, atNs: number, heldNs: number, count: number): void {
    const spec = this.#specs[rule];
    const item = this.#items[rule];
    if (spec === undefined || item === undefined) return;
    this.#host.onPress(this.#of.line, spec.on, count, atNs);
    const press = { pattern: spec.on, atNs, heldNs, count };
    if (!item.add(pressOccasion(this.#host, this.#of, press))) this.#host.onLimited(this.#of.name, 1);
  }
}
