// GPIO descriptors for handlers: a held line with its name, its value and its interrupt (gpiod_* in drivers/gpio/gpiolib.c).
import type { Machine } from '../machine.js';
import { runningCpu } from '../sched/current.js';
import { asyncTask } from '../sched/effect.js';
import { Tracepoint } from '../trace/ring.js';
import type { Level, LineRequest } from './driver.js';
import type { GpioIrqSource } from './edge-domain.js';

/** Of a {@link LineRequest}, what a {@link GpioDesc} needs of it. */
export type LineValues = Pick<LineRequest, 'getValue' | 'setValue'>;

/** One line that is held, as drivers and handlers use it. */
export class GpioDesc {
  /** Name in the configuration, e.g. `led1`. */
  readonly name: string;
  readonly offset: number;
  readonly direction: 'in' | 'out';
  readonly #request: LineValues;
  readonly #irqs: GpioIrqSource | undefined;
  /** The machine that was traced in last, and the line's name there. */
  #tracedIn: Machine | undefined;
  #nameId = -1;

  constructor(name: string, offset: number, direction: 'in' | 'out', request: LineValues, irqs?: GpioIrqSource) {
    this.name = name;
    this.offset = offset;
    this.direction = direction;
    this.#request = request;
    this.#irqs = irqs;
  }

  get(): Level {
    return this.#request.getValue(this.offset);
  }

  set(value: Level): void {
    this.#request.setValue(this.offset, value);
    const cpu = runningCpu();
    if (cpu !== undefined) cpu.trace(Tracepoint.gpioValue, this.offset, value, this.#nameIn(cpu.machine));
    else this.#traceAsync(value);
  }

  /** An async function sets it after an `await`: its task stands for it. The host's own settings are no event of the model. */
  #traceAsync(value: Level): void {
    const task = asyncTask();
    if (task === undefined) return;
    const { machine, id } = task.cpu;
    const { offset } = this;
    machine.trace.record(
      Tracepoint.gpioValue,
      machine.clock.now(),
      id,
      0,
      task.pid,
      offset,
      value,
      this.#nameIn(machine),
    );
  }

  #nameIn(machine: Machine): number {
    if (this.#tracedIn !== machine) {
      this.#tracedIn = machine;
      this.#nameId = machine.trace.intern(this.name);
    }
    return this.#nameId;
  }

  /** -1 when the line has no interrupt. */
  toIrq(): number {
    return this.#irqs?.toIrq(this.offset) ?? -1;
  }
}

/** The logical level of a line (gpiod_get_value). Any context. Errors as {@link LineRequest.getValue}. */
export function gpiodGetValue(desc: GpioDesc): Level {
  return desc.get();
}

/** Sets an output to a logical level (gpiod_set_value). Any context. Errors as {@link LineRequest.setValue}. */
export function gpiodSetValue(desc: GpioDesc, value: Level): void {
  desc.set(value);
}

/** The interrupt number of a line (gpiod_to_irq); -1, which every request refuses with `EINVAL`, for a line without one. */
export function gpiodToIrq(desc: GpioDesc): number {
  return desc.toIrq();
}
