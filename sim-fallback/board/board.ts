// The board around the chip: named buttons and LEDs on its pads.
import { KernelError } from '../../kernel/errno.js';
import type { Clock } from '../../kernel/time/clock.js';
import type { BoardPull, PadDrive, PadLevel, Pads } from '../bcm2835/pads.js';
import type { BounceOptions } from './bounce.js';
import { Button, type PressOptions, type ReleaseOptions } from './button.js';
import { Led } from './led.js';
import { PadFilter } from './pad-filter.js';
import { mulberry32 } from './prng.js';

/** A push button. */
export interface ButtonDescription {
  readonly gpio: number;
  /**
   * Its resistor on the board: `up` with a switch to ground (the default; open 1, pressed 0), `down` with a switch to 3.3 V,
   * `none` when it relies on the chip's own pull.
   */
  readonly pull?: BoardPull;
  /** How its contact bounces when a press asks for bounce and does not say how; see {@link BounceOptions}. */
  readonly bounce?: BounceOptions;
  /** Where a pressed contact leads; default `3v3` with a pull-down, else `ground`. */
  readonly to?: 'ground' | '3v3';
}

/** An LED with its resistor. */
export interface LedDescription {
  readonly gpio: number;
  /** Lit by a low pad: wired to 3.3 V. Default false, wired to ground. */
  readonly activeLow?: boolean;
}

/** A wire from one line to another, which then has the level of the first whenever that one is driven. */
export interface WireDescription {
  readonly from: number;
  readonly to: number;
}

/** A resistor at a line that has no button. */
export interface PullDescription {
  readonly gpio: number;
  readonly pull: BoardPull;
}

/** What is on a board, by name. */
export interface BoardDescription {
  readonly buttons?: Readonly<Record<string, ButtonDescription>>;
  readonly leds?: Readonly<Record<string, LedDescription>>;
  readonly wires?: readonly WireDescription[];
  readonly pulls?: readonly PullDescription[];
}

/** The lab board: buttons on GPIO17 and GPIO18, an LED on GPIO4. */
export const LAB_BOARD: BoardDescription = {
  buttons: { button1: { gpio: 17, pull: 'up' }, button2: { gpio: 18, pull: 'up' } },
  leds: { led1: { gpio: 4 } },
};

/** What a board is plugged into. */
export interface BoardOptions {
  readonly clock: Clock;
  readonly pads: Pads;
  /** Of the bounce traces; default 1. Each button draws from its own sequence, whatever the others do. */
  readonly seed?: number;
}

const SEED_STEP = 0x9e37_79b9;

/** A button or an LED, as it was put on the board. */
interface Part {
  readonly kind: 'button' | 'led';
  readonly description: ButtonDescription | LedDescription;
  /** Takes it off the board. */
  readonly remove: () => void;
}

/** A board in use. Whatever it does to a pad goes through the pad's {@link PadFilter}. */
export class Board {
  readonly #buttons = new Map<string, Button>();
  readonly #leds = new Map<string, Led>();
  /** By kind and name. */
  readonly #parts = new Map<string, Part>();
  readonly #description: BoardDescription;
  readonly #clock: Clock;
  readonly #seed: number;
  readonly #pads: Pads;
  readonly #filters: readonly PadFilter[];
  /** What drives each line, whether it is forced or not. */
  readonly #driven: PadDrive[];
  readonly #forced = new Set<number>();

  /** `EINVAL` for a line that the chip does not have, or that two parts share. */
  constructor(description: BoardDescription, options: BoardOptions) {
    const { clock, pads, seed = 1 } = options;
    checkLines(description, pads.lines);
    this.#pads = pads;
    this.#filters = Array.from(
      { length: pads.lines },
      (_, line) => new PadFilter(clock, (value) => pads.drive(line, value)),
    );
    this.#driven = new Array<PadDrive>(pads.lines).fill('float');
    this.#description = description;
    this.#clock = clock;
    this.#seed = seed;
    this.#put(description);
    for (const { gpio, pull } of description.pulls ?? []) pads.setBoardPull(gpio, pull);
    for (const { from, to } of description.wires ?? []) {
      pads.onPad(from, (level, driven) => this.drive(to, driven ? level : 'float'));
    }
  }

  get buttons(): ReadonlyMap<string, Button> {
    return this.#buttons;
  }

  get leds(): ReadonlyMap<string, Led> {
    return this.#leds;
  }

  /**
   * Puts other buttons and LEDs on the board in place of those that there are. Those that stay as they were are not touched;
   * a button that goes lets go of its line. Wires and other resistors stay. `EINVAL` as the constructor, and nothing is changed.
   */
  replace(parts: Pick<BoardDescription, 'buttons' | 'leds'>): void {
    const { wires = [], pulls = [] } = this.#description;
    checkLines({ ...parts, wires, pulls }, this.#pads.lines);
    for (const [key, { kind, description, remove }] of this.#parts) {
      const name = key.slice(kind.length + 1);
      const next = (kind === 'button' ? parts.buttons : parts.leds)?.[name];
      if (next !== undefined && samePart(description, next)) continue;
      remove();
      this.#parts.delete(key);
    }
    this.#put(parts);
  }

  /** Puts what is not there yet on the board. */
  #put({ buttons = {}, leds = {} }: Pick<BoardDescription, 'buttons' | 'leds'>): void {
    for (const [name, part] of Object.entries(buttons)) {
      if (!this.#parts.has(`button ${name}`)) this.#putButton(name, part);
    }
    for (const [name, part] of Object.entries(leds)) if (!this.#parts.has(`led ${name}`)) this.#putLed(name, part);
  }

  #putButton(name: string, part: ButtonDescription): void {
    const { gpio, pull = 'up' } = part;
    const pressed = (part.to ?? (pull === 'down' ? '3v3' : 'ground')) === '3v3' ? 1 : 0;
    this.#pads.setBoardPull(gpio, pull);
    const prng = mulberry32(this.#seed + Math.imul(gpio + 1, SEED_STEP));
    let there = true;
    const contact = (closed: boolean): void => {
      if (there) this.drive(gpio, closed ? pressed : 'float');
    };
    this.#buttons.set(name, new Button(name, this.#clock, prng, contact, part.bounce));
    const remove = (): void => {
      there = false;
      this.drive(gpio, 'float');
      this.#pads.setBoardPull(gpio, 'none');
      this.#buttons.delete(name);
    };
    this.#parts.set(`button ${name}`, { kind: 'button', description: part, remove });
  }

  #putLed(name: string, part: LedDescription): void {
    const led = new Led(name, this.#clock, part.activeLow ?? false);
    const unplug = this.#pads.onPad(part.gpio, led.padChanged);
    this.#leds.set(name, led);
    const remove = (): void => {
      unplug();
      this.#leds.delete(name);
    };
    this.#parts.set(`led ${name}`, { kind: 'led', description: part, remove });
  }

  /** Presses a button now. `ENOENT` when there is none of that name; else, and what it returns, as {@link Button.press}. */
  press(name: string, options: PressOptions = {}): () => boolean {
    return partNamed('button', this.#buttons, name).press(options);
  }

  /** Lets a button go now. `ENOENT` when there is none of that name; else as {@link Button.release}. */
  release(name: string, options: ReleaseOptions = {}): void {
    partNamed('button', this.#buttons, name).release(options);
  }

  /** An LED by name; `ENOENT` when there is none. */
  led(name: string): Led {
    return partNamed('LED', this.#leds, name);
  }

  /** Holds a wire with a level (or nothing) to a pad, as a generator or another chip would. `EINVAL`: no such line. */
  drive(line: number, value: PadDrive): void {
    const filter = this.#filter(line);
    this.#driven[line] = value;
    if (!this.#forced.has(line)) filter.drive(value);
  }

  /**
   * Holds a line at a level, whatever drives it: a solder bridge, or a probe. `undefined` lets it go, and what drives it
   * shows again. `EINVAL`: no such line.
   */
  force(line: number, value: PadLevel | undefined): void {
    const filter = this.#filter(line);
    if (value === undefined) this.#forced.delete(line);
    else this.#forced.add(line);
    filter.drive(value ?? this.#driven[line] ?? 'float');
  }

  /** The level of a pad now. `EINVAL`: no such line. */
  level(line: number): PadLevel {
    return this.#pads.level(line);
  }

  /** Debounce period of a line in ns, 0 for none; see {@link PadFilter}. `EINVAL`: no such line, or no duration. */
  setDebounce(line: number, periodNs: number): void {
    this.#filter(line).setPeriod(periodNs);
  }

  #filter(line: number): PadFilter {
    const filter = this.#filters[line];
    if (filter === undefined) throw noSuchLine(`GPIO${line}`, line, this.#pads.lines);
    return filter;
  }
}

function samePart(a: Part['description'], b: Part['description']): boolean {
  return JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());
}

function partNamed<T>(kind: string, parts: ReadonlyMap<string, T>, name: string): T {
  const part = parts.get(name);
  if (part !== undefined) return part;
  const names = [...parts.keys()].join(', ');
  throw new KernelError('ENOENT', `no ${kind} "${name}" on the board`, {
    hint: names === '' ? `the board has no ${kind}s` : `the board has: ${names}`,
    subject: name,
  });
}

function checkLines(description: BoardDescription, lines: number): void {
  const holders = new Map<number, string>();
  const hold = (name: string, gpio: number): void => {
    checkLine(name, gpio, lines);
    const holder = holders.get(gpio);
    if (holder !== undefined) {
      throw new KernelError('EINVAL', `${name} and ${holder} are both on GPIO${gpio}`, {
        hint: 'give each part of the board a line of its own',
        subject: name,
      });
    }
    holders.set(gpio, name);
  };
  for (const parts of [description.buttons ?? {}, description.leds ?? {}]) {
    for (const [name, { gpio }] of Object.entries(parts)) hold(name, gpio);
  }
  for (const { gpio } of description.pulls ?? []) checkLine('a resistor', gpio, lines);
  const wires = description.wires ?? [];
  for (const { from, to } of wires) {
    checkLine(`a wire from GPIO${from}`, from, lines);
    hold(`a wire from GPIO${from}`, to);
  }
  checkCircles(new Map(wires.map(({ from, to }) => [to, from])));
}

/** A line has one wire that leads to it at most, so each way back is one of lines. */
function checkCircles(fromOf: ReadonlyMap<number, number>): void {
  for (const start of fromOf.values()) {
    const passed = new Set<number>();
    for (let line: number | undefined = start; line !== undefined; line = fromOf.get(line)) {
      if (!passed.has(line)) passed.add(line);
      else {
        throw new KernelError('EINVAL', `wires go in a circle: GPIO${line}`, { hint: 'take one of them away' });
      }
    }
  }
}

function checkLine(name: string, gpio: number, lines: number): void {
  if (!Number.isInteger(gpio) || gpio < 0 || gpio >= lines) throw noSuchLine(name, gpio, lines);
}

function noSuchLine(subject: string, line: number, lines: number): KernelError {
  return new KernelError('EINVAL', `${subject}: the chip has no GPIO${line}`, {
    hint: `take a line from 0 to ${lines - 1}`,
    subject,
  });
}
