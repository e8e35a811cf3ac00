// The chords of a configuration: presses of several lines in, work items out.
import type { Work } from '../../kernel/index.js';
import { chordOccasion } from '../actions/occasion.js';
import type { ChordSpec } from '../config/action-types.js';
import { ChordRecognizer } from '../patterns/chord.js';
import type { InterruptHost } from './host.js';
import { OccasionWork } from './occasion-work.js';

/** What is said of a chord to those who listen to presses. */
const PATTERN = 'chord';

interface Chord {
  readonly spec: ChordSpec;
  readonly recognizer: ChordRecognizer;
  readonly item: OccasionWork;
}

/** All chords. */
export class Chords {
  readonly #host: Omit<InterruptHost, 'chord'>;
  readonly #chords: readonly Chord[];
  readonly #spend: (line: string) => void;

  /**
   * Errors as {@link OccasionWork}'s.
   *
   * @param spend told of the other lines whose presses are part of a chord
   */
  constructor(host: Omit<InterruptHost, 'chord'>, specs: readonly ChordSpec[], spend: (line: string) => void) {
    this.#host = host;
    this.#spend = spend;
    this.#chords = specs.map((spec) => ({
      spec,
      recognizer: new ChordRecognizer(spec.lines.length, spec.withinNs),
      item: new OccasionWork({ host, name: spec.name }, spec),
    }));
  }

  /** Work items that may be queued or running. */
  get works(): readonly Work[] {
    return this.#chords.map(({ item }) => item.work);
  }

  /** An edge of a line. Process context. @returns whether it is a press that makes a chord */
  edge(line: string, pressed: boolean, atNs: number): boolean {
    let made = false;
    for (const chord of this.#chords) {
      const button = chord.spec.lines.indexOf(line);
      if (button < 0) continue;
      if (!pressed) chord.recognizer.release(button, atNs);
      else if (chord.recognizer.press(button, atNs)) {
        made = true;
        this.#tell(chord, line, atNs);
      }
    }
    return made;
  }

  /** Forgets what no work item has begun with. @returns how many. */
  cancel(): number {
    return this.#chords.reduce((sum, { item }) => sum + item.cancel(), 0);
  }

  #tell({ spec, item }: Chord, line: string, atNs: number): void {
    for (const other of spec.lines) if (other !== line) this.#spend(other);
    this.#host.onPress(spec.name, PATTERN, 1, atNs);
    const room = item.add(chordOccasion(this.#host, spec.name, spec.lines, atNs));
    if (!room) this.#host.onLimited(spec.name, 1);
  }
}
