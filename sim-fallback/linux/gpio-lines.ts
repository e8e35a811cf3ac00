// The lines of the simulated chip as gpiolib keeps them: who holds which, how, and who wants to know.
import {
  type ChipInfo,
  KernelError,
  type Level,
  type LineConfig,
  type LineInfo,
  type LineInfoChange,
  type Machine,
} from '../../kernel/index.js';
import type { Board } from '../board/board.js';
import { LineEdges } from './line-edges.js';
import { Notices } from './notices.js';
import type { PinctrlBcm2835 } from './pinctrl-bcm2835.js';

/** What a simulated GPIO chip is made from. */
export interface SimGpioChipOptions {
  readonly machine: Machine;
  readonly pinctrl: PinctrlBcm2835;
  /** Where debounce is done: see {@link Board.setDebounce}. */
  readonly board: Board;
  /** CLOCK_MONOTONIC at the origin of the machine's clock, in ns. */
  readonly originNs: bigint;
  /** How the chip presents itself, where it is not the header's: fewer lines, another name. */
  readonly info?: Partial<ChipInfo>;
}

/** Hears of every change of any line, by anyone. */
export type LineWatcher = (change: LineInfoChange) => void;

interface Holder {
  readonly consumer: string;
  readonly config: LineConfig;
}

const NS_PER_US = 1_000;
/** What the kernel shows for a holder who gave no name. */
const NAMELESS = '?';

/** State shared by all {@link SimGpioChip} objects over one simulated chip (drivers/gpio/gpiolib.c). */
export class SimGpioLines {
  readonly info: ChipInfo;
  readonly machine: Machine;
  readonly pinctrl: PinctrlBcm2835;
  readonly originNs: bigint;
  readonly notices: Notices;
  /** Told by {@link unplug}, in the order in which they were added. */
  readonly onUnplug = new Set<(error: KernelError) => void>();
  readonly watchers = new Set<LineWatcher>();
  readonly #board: Board;
  readonly #holders: (Holder | undefined)[];
  #unplugged = false;

  constructor(options: SimGpioChipOptions) {
    const { label, lines } = options.pinctrl;
    this.info = Object.freeze({ name: 'gpiochip0', label, lines, ...options.info });
    this.machine = options.machine;
    this.pinctrl = options.pinctrl;
    this.#holders = new Array<Holder | undefined>(lines).fill(undefined);
    this.originNs = options.originNs;
    this.#board = options.board;
    this.notices = new Notices(options.machine);
  }

  nameOf(offset: number): string {
    return `GPIO${offset}`;
  }

  lineInfo(offset: number): LineInfo {
    const holder = this.#holders[offset];
    const config = holder?.config;
    return {
      offset,
      name: this.nameOf(offset),
      consumer: holder?.consumer ?? '',
      used: holder !== undefined || this.#irqHolder(offset) !== undefined,
      direction: config?.direction ?? this.pinctrl.direction(offset),
      activeLow: config?.activeLow ?? false,
      edge: config?.edge ?? 'none',
      bias: config?.bias ?? 'as-is',
      drive: config?.drive ?? 'push-pull',
      debounceUs: config?.debounceUs ?? 0,
    };
  }

  /** Throws `EBUSY` unless all lines are free; else as {@link checkIrq}. */
  checkFree(lines: readonly LineConfig[]): void {
    for (const config of lines) {
      const holder = this.#holders[config.offset];
      if (holder !== undefined) throw this.#busy(config.offset, 'held by', holder.consumer);
      this.checkIrq(config);
    }
  }

  /**
   * Throws `EBUSY` for a line that wants edges and `EIO` for one that is to be an output, when someone has requested its
   * interrupt who does not do so through this chip.
   */
  checkIrq({ offset, direction, edge = 'none' }: LineConfig): void {
    const name = this.#irqHolder(offset);
    if (name === undefined) return;
    if (edge !== 'none') throw this.#busy(offset, 'the interrupt of', name);
    if (direction === 'out') this.pinctrl.lineIrqs.checkOutput(offset, this.#holders[offset]?.consumer);
  }

  /** Who has requested the interrupt of a line past this chip. */
  #irqHolder(offset: number): string | undefined {
    const actions = this.pinctrl.domain.descOf(offset)?.actions ?? [];
    return actions.find(({ devId }) => !(devId instanceof LineEdges))?.name;
  }

  /** Takes lines that {@link checkFree} has found free, and puts them in effect but for edges and pulls. */
  hold(lines: readonly LineConfig[], consumer: string): void {
    for (const config of lines) {
      this.#holders[config.offset] = { consumer: consumer === '' ? NAMELESS : consumer, config };
      this.#configure(config, this.initialLevel(config), 0);
      this.#tell('requested', config.offset);
    }
  }

  /** The logical level that a line takes when it becomes an output. */
  initialLevel(config: LineConfig): Level {
    const { initial = 0 } = config;
    return initial === 'keep' ? this.getLevel(config) : initial;
  }

  /** Changes a held line; `level` is the logical level that it takes if it is an output. */
  change(config: LineConfig, level: Level): void {
    const holder = this.#holders[config.offset];
    if (holder === undefined) return;
    this.#holders[config.offset] = { consumer: holder.consumer, config };
    this.#configure(config, level, holder.config.debounceUs ?? 0);
    this.#tell('reconfigured', config.offset);
  }

  /** Lets a line go; its pad becomes an input again, as the pin controller leaves it (bcm2835_pmx_free). */
  free(offset: number): void {
    const holder = this.#holders[offset];
    if (holder === undefined) return;
    this.#holders[offset] = undefined;
    if ((holder.config.debounceUs ?? 0) !== 0) this.#board.setDebounce(offset, 0);
    this.pinctrl.directionInput(offset);
    this.pinctrl.lineIrqs.setOpenDrain(offset, false);
    this.#tell('released', offset);
  }

  getLevel({ offset, activeLow = false }: LineConfig): Level {
    return invertIf(this.pinctrl.level(offset), activeLow);
  }

  /**
   * Gives an output a logical level. Open drain and open source let go of the pad by making it an input, because the
   * chip has neither in hardware (gpio_set_open_drain_value_commit).
   */
  setLevel({ offset, activeLow = false, drive = 'push-pull' }: LineConfig, level: Level): void {
    const physical = invertIf(level, activeLow);
    if (drive === 'push-pull') this.pinctrl.set(offset, physical);
    else this.#driveOrLetGo(offset, drive, physical);
  }

  /** Throws `ENODEV` once the chip is gone. */
  checkPlugged(operation: string): void {
    if (this.#unplugged) throw this.#goneError(operation);
  }

  /** Takes the chip away from everyone. Lines stay as they are; what was requested hears of it, and cannot be used. */
  unplug(): void {
    if (this.#unplugged) return;
    this.#unplugged = true;
    this.watchers.clear();
    const error = this.#goneError('the chip');
    for (const tell of [...this.onUnplug]) tell(error);
  }

  #configure(config: LineConfig, level: Level, debouncedUs: number): void {
    const { offset, activeLow = false, drive = 'push-pull', debounceUs = 0 } = config;
    this.pinctrl.lineIrqs.setOpenDrain(offset, config.direction === 'out' && drive === 'open-drain');
    if (config.direction === 'in') this.pinctrl.directionInput(offset);
    else this.#driveOrLetGo(offset, drive, invertIf(level, activeLow));
    if (debounceUs !== debouncedUs) this.#board.setDebounce(offset, debounceUs * NS_PER_US);
  }

  #driveOrLetGo(offset: number, drive: LineConfig['drive'], physical: Level): void {
    const letGo = (drive === 'open-drain' && physical === 1) || (drive === 'open-source' && physical === 0);
    if (letGo) this.pinctrl.directionInput(offset);
    else this.pinctrl.drive(offset, physical);
  }

  #tell(kind: LineInfoChange['kind'], offset: number): void {
    if (this.watchers.size === 0) return;
    const timestampNs = this.originNs + BigInt(Math.floor(this.machine.clock.now()));
    const change: LineInfoChange = { kind, info: this.lineInfo(offset), timestampNs };
    for (const watcher of this.watchers) watcher(change);
  }

  #busy(offset: number, how: string, holder: string): KernelError {
    return new KernelError('EBUSY', `requestLines on ${this.info.name}: EBUSY: Device or resource busy`, {
      hint: `${this.nameOf(offset)} is ${how} '${holder}'; free it or pick another line`,
      subject: holder,
    });
  }

  #goneError(operation: string): KernelError {
    return new KernelError('ENODEV', `${operation} on ${this.info.name}: ENODEV: No such device`, {
      hint: 'the simulated chip was unplugged; build another one',
      subject: this.info.name,
    });
  }
}

function invertIf(level: Level, activeLow: boolean): Level {
  return activeLow === (level === 1) ? 0 : 1;
}
