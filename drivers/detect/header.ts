// The 40-pin header of a Pi, line by line: who holds each, and which bus has its pin.
import type { GpioChip, LineInfo } from '../../kernel/gpio/driver.js';
import type { PinUser } from './device-tree.js';

/** A line of the header. */
export interface HeaderLine {
  /** Its offset on the chip too. */
  readonly gpio: number;
  /** Number of the pin; undefined on the first boards, whose 26 pins are wired in another way. */
  readonly pin: number | undefined;
  /** Name from the device tree; empty when it has none. */
  readonly name: string;
  readonly direction: LineInfo['direction'];
  /** Somebody holds it: to take it is `EBUSY`. */
  readonly held: boolean;
  /** Who holds it; empty when it is free, and for the kernel itself. */
  readonly consumer: string;
  /** The device that has its pin by the device tree, e.g. `i2c1`; undefined when it has none. */
  readonly device: string | undefined;
}

/** A device on the header whose lines are better left alone, or given back. */
export interface Conflict {
  /** Who: a consumer, or {@link PinUser.name}. */
  readonly name: string;
  /** What it is, as far as that is known. */
  readonly kind: ConflictKind;
  readonly gpios: readonly number[];
  /** `held`: taking a line is `EBUSY`. `muxed`: the line can be taken, which cuts the device off from its pin. */
  readonly state: 'held' | 'muxed';
  /** How to free the lines. */
  readonly hint: string;
}

/** What a device on the header may be. */
export type ConflictKind = 'w1-gpio' | 'spi' | 'i2c' | 'uart' | 'program' | 'other';

/** Pins of GPIO0 to GPIO27 on the 40-pin header. */
const PINS: readonly number[] = [
  27, 28, 3, 5, 7, 29, 31, 26, 24, 21, 19, 23, 32, 33, 8, 10, 36, 11, 12, 35, 38, 40, 15, 16, 18, 22, 37, 13,
];
/** Its header has 26 pins, and other lines on three of them. */
const FIRST_BOARD = /^Raspberry Pi Model B Rev 1$/;

const KINDS: readonly (readonly [RegExp, ConflictKind])[] = [
  [/^(onewire|w1)\b|w1-gpio/, 'w1-gpio'],
  [/^spi/, 'spi'],
  [/^i2c/, 'i2c'],
  [/^(serial|uart)/, 'uart'],
];

const CONFIG = '/boot/firmware/config.txt';
const HINTS: Readonly<Record<ConflictKind, string>> = {
  'w1-gpio': `remove dtoverlay=w1-gpio from ${CONFIG}, or give it another line with gpiopin=`,
  spi: `set dtparam=spi=off in ${CONFIG} (raspi-config: Interface Options)`,
  i2c: `set dtparam=i2c_arm=off in ${CONFIG} (raspi-config: Interface Options)`,
  uart: `set enable_uart=0 in ${CONFIG} (raspi-config: Interface Options, Serial Port)`,
  program: `end the program or service that has this name, or remove its dtoverlay from ${CONFIG}`,
  other: `look for its dtoverlay in ${CONFIG}`,
};

/** Who holds a line that has no consumer. */
const KERNEL = 'the kernel';

/** The lines of the header; fewer when the chip has fewer. Errors as the chip's. */
export function readHeader(chip: GpioChip, model: string | undefined, users: readonly PinUser[]): HeaderLine[] {
  const known = model === undefined || !FIRST_BOARD.test(model);
  return PINS.slice(0, chip.info.lines).map((pin, gpio) => {
    const { name, direction, used, consumer } = chip.lineInfo(gpio);
    const device = users.find(({ gpios }) => gpios.includes(gpio))?.name;
    return { gpio, pin: known ? pin : undefined, name, direction, held: used, consumer, device };
  });
}

/** What is on the header that somebody may want lines of, those that are held first. */
export function findConflicts(lines: readonly HeaderLine[], users: readonly PinUser[]): Conflict[] {
  const held = new Map<string, number[]>();
  for (const { gpio, held: isHeld, consumer, device } of lines) {
    if (isHeld) append(held, consumer === '' ? (device ?? KERNEL) : consumer, gpio);
  }
  const conflicts: Conflict[] = [];
  for (const [name, gpios] of held) {
    const kind = kindOf(name, name === KERNEL || users.some((user) => user.name === name) ? 'other' : 'program');
    conflicts.push({ name, kind, gpios, state: 'held', hint: HINTS[kind] });
  }
  for (const { name, compatible, gpios } of users) {
    const free = gpios.filter((gpio) => lines.some((line) => line.gpio === gpio && !line.held));
    if (free.length === 0) continue;
    const kind = kindOf(name, kindOf(compatible, 'other'));
    conflicts.push({ name, kind, gpios: free, state: 'muxed', hint: HINTS[kind] });
  }
  return conflicts;
}

function kindOf(name: string, otherwise: ConflictKind): ConflictKind {
  return KINDS.find(([pattern]) => pattern.test(name))?.[1] ?? otherwise;
}

function append(lists: Map<string, number[]>, key: string, value: number): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
