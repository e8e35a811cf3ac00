// Levels of lines as a Value Change Dump (IEEE 1364, 18.2), which GTKWave and PulseView open.
import type { Level } from '../../kernel/index.js';

/** Characters that identifiers are made of. */
const FIRST = 33;
const CHARACTERS = 94;
/** Characters that are gathered before they are handed on. */
const CHUNK = 64 * 1024;

/** One signal of a dump. */
export interface VcdSignal {
  /** Without white space. */
  readonly name: string;
  readonly initial: Level;
}

/** The identifier of signal `i`: `!`, `"`, …, `~`, then two characters. */
function identifier(i: number): string {
  let text = '';
  for (let rest = i + 1; rest > 0; rest = Math.floor((rest - 1) / CHARACTERS)) {
    text += String.fromCharCode(FIRST + ((rest - 1) % CHARACTERS));
  }
  return text;
}

/** Writes a dump in ns, from time 0 on. The same changes give the same bytes: it bears no date. */
export class VcdWriter {
  readonly #write: (text: string) => void;
  readonly #identifiers: readonly string[];
  #text: string;
  #atNs = 0;

  /** @param scope name of the scope that the signals are in, @param write gets text, in pieces */
  constructor(scope: string, signals: readonly VcdSignal[], write: (text: string) => void) {
    this.#write = write;
    this.#identifiers = signals.map((_, i) => identifier(i));
    const variables = signals.map(({ name }, i) => `$var wire 1 ${this.#identifiers[i]} ${name} $end\n`).join('');
    const initial = signals.map((signal, i) => `${signal.initial}${this.#identifiers[i]}\n`).join('');
    this.#text =
      `$version gpio-irqd $end\n$timescale 1 ns $end\n$scope module ${scope} $end\n${variables}$upscope $end\n` +
      `$enddefinitions $end\n#0\n$dumpvars\n${initial}$end\n`;
  }

  /** Signal `i` has changed. Times never go back; fractions of a ns are dropped. */
  change(atNs: number, i: number, level: Level): void {
    this.#time(atNs);
    this.#text += `${level}${this.#identifiers[i]}\n`;
    if (this.#text.length < CHUNK) return;
    this.#write(this.#text);
    this.#text = '';
  }

  /** The dump ends here. */
  finish(atNs: number): void {
    this.#time(atNs);
    this.#write(this.#text);
    this.#text = '';
  }

  #time(atNs: number): void {
    const ns = Math.floor(atNs);
    if (ns <= this.#atNs) return;
    this.#atNs = ns;
    this.#text += `#${ns}\n`;
  }
}
