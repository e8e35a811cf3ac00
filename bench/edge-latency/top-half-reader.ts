// The whole way in this project: chardev driver, edge domain, flow handler, and the top half of the model in real time.

import { openBackend } from '../../daemon/bridge/backend.js';
import type { Config } from '../../daemon/config/config.js';
import { createLogger } from '../../daemon/log.js';
import {
  IRQ_HANDLED,
  IRQ_WAKE_THREAD,
  IRQF_TRIGGER_FALLING,
  IRQF_TRIGGER_RISING,
  requestThreadedIrq,
  Tracepoint,
} from '../../kernel/index.js';
import { readerArguments, Samples, sayReady } from './samples.js';

const { chip, offset, count, out } = readerArguments();
const samples = new Samples(count);

/** What the daemon makes of a configuration with this one line. */
const config: Config = {
  driver: 'chardev',
  chip: { by: 'name', name: chip.replace('/dev/', '') },
  lines: [
    {
      ...{ name: 'button', gpio: offset, direction: 'in', edge: 'both', bias: 'as-is', drive: 'push-pull' },
      ...{ activeLow: false, debounceNs: 0, initial: 0 },
    },
  ],
  interrupts: [],
  workqueues: [],
};
const fail = (error: unknown): never => {
  throw error;
};
const events = {
  onLost: (line: number, lost: number) => fail(new Error(`${lost} edges of line ${line} were lost`)),
  onGone: fail,
  onBack: fail,
  onWaiting: (_line: number, why: string) => fail(new Error(why)),
  onHeld: fail,
  onOops: (_where: string, error: unknown) => fail(error),
  onBug: fail,
};
const backend = openBackend(config, createLogger({ output: process.stderr, terminal: false }), events);
const { machine, edge, originNs } = backend;

const monotonic = (ns: number): bigint => BigInt(Math.round(originNs + ns));

/**
 * The time of entry is that of irq_handler_entry, which the model's trace, always on, has read right before the call: one
 * look at the clock, as in the other readers.
 */
function topHalf(): typeof IRQ_WAKE_THREAD {
  const [entry] = machine.trace.read(machine.trace.written - 1);
  if (entry?.event !== Tracepoint.irqHandlerEntry) throw new Error('the newest trace record is not irq_handler_entry');
  if (samples.take(monotonic(edge.stampNs), monotonic(entry.timeNs))) {
    samples.save(out);
    setImmediate(() => process.exit());
  }
  return IRQ_WAKE_THREAD;
}

/** The daemon's top halves wake their thread as well. */
function threadFn(): typeof IRQ_HANDLED {
  return IRQ_HANDLED;
}

const flags = IRQF_TRIGGER_RISING | IRQF_TRIGGER_FALLING;
await machine.call(() => requestThreadedIrq(backend.toIrq(offset), topHalf, threadFn, flags, 'button', null));
backend.start();
sayReady();
