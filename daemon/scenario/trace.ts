// The trace of a replay: a line for everything that happened, the same bytes at every run.
import { TRACEPOINT_NAMES, type TraceRecord } from '../../kernel/index.js';
import { TRACE_ARGUMENTS } from '../observe/trace-arguments.js';
import type { Detail } from './details.js';
import type { Simulation, SimulationEvent } from './simulation.js';

/** What is left in the model's ring when it is read again: a fraction of it. */
const READ_AT = 0.25;
/** Characters that are gathered before they are handed on. */
const CHUNK = 64 * 1024;

/** Writes what happens in a simulation, from its start to {@link finish}. Lines are JSON objects; times are ns of the scenario. */
export class TraceWriter {
  readonly #simulation: Simulation;
  readonly #detail: Detail;
  readonly #write: (text: string) => void;
  readonly #forget: () => void;
  readonly #offsetNs: number;
  #text = '';
  #read: number;

  /** @param write gets whole lines, many at a time */
  constructor(simulation: Simulation, scenario: string, detail: Detail, write: (text: string) => void) {
    this.#simulation = simulation;
    this.#detail = detail;
    this.#write = write;
    this.#read = simulation.machine.trace.written;
    this.#offsetNs = simulation.machine.clock.now() - simulation.nowNs;
    this.#line({ trace: 1, scenario, detail });
    this.#forget = simulation.subscribe((event) => {
      this.#drain();
      this.#line(shown(event));
    });
  }

  /** Reads the model's ring before it is full. */
  readonly step = (): void => {
    const { trace } = this.#simulation.machine;
    if (this.#detail === 'contexts' && trace.written - this.#read > trace.capacity * READ_AT) this.#drain();
  };

  /** An expectation that was not met. */
  unmet(atNs: number, message: string): void {
    this.#drain();
    this.#line({ ns: atNs, event: 'unmet', message });
  }

  /** Writes what is left. */
  finish(): void {
    this.#forget();
    this.#drain();
    this.#write(this.#text);
    this.#text = '';
  }

  #drain(): void {
    if (this.#detail !== 'contexts') return;
    const { trace } = this.#simulation.machine;
    const gone = trace.written - trace.capacity - this.#read;
    if (gone > 0) this.#line({ event: 'overwritten', count: gone });
    for (const record of trace.read(this.#read)) this.#line(this.#record(record));
    this.#read = trace.written;
  }

  #record({ timeNs, cpu, event, a, b, name }: TraceRecord): object {
    const [first, second] = TRACE_ARGUMENTS[event];
    return {
      ns: Math.round(timeNs - this.#offsetNs),
      cpu,
      event: TRACEPOINT_NAMES[event],
      ...(first === '' ? {} : { [first]: a }),
      ...(second === '' ? {} : { [second]: b }),
      ...(name === '' ? {} : { name }),
    };
  }

  #line(entry: object): void {
    this.#text += `${JSON.stringify(entry)}\n`;
    if (this.#text.length < CHUNK) return;
    this.#write(this.#text);
    this.#text = '';
  }
}

/** An event without what differs from machine to machine: stacks name files. */
function shown(event: SimulationEvent): object {
  const { type, atNs, ...rest } = event;
  if (event.type !== 'error') return { ns: atNs, event: type, ...rest };
  return { ns: atNs, event: type, interrupt: event.interrupt, message: event.message };
}
