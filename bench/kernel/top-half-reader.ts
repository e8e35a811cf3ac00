// The whole way in this project: a driver, edge domain, flow handler, and the top half of the model in real time.
import { openBackend } from '../../daemon/bridge/backend.js';
import type { Config, LineSpec } from '../../daemon/config/config.js';
import { createLogger } from '../../daemon/log.js';
import {
  IRQ_HANDLED,
  IRQ_WAKE_THREAD,
  IRQF_TRIGGER_FALLING,
  IRQF_TRIGGER_RISING,
  requestThreadedIrq,
  scheduleWork,
  Work,
} from '../../kernel/index.js';
import { obey, offsets, readerArguments, Samples } from './reader.js';

const { chip, lines, out, more } = readerArguments();
const driver = more === 'libgpiod' || more === 'onoff' ? more : 'chardev';
const samples = new Samples();
let lost = 0;

/** What the daemon makes of a configuration with these lines. */
const config: Config = {
  driver,
  chip: { by: 'name', name: chip.replace('/dev/', '') },
  lines: offsets(lines).map(
    (gpio): LineSpec => ({
      ...{ name: `line${gpio}`, gpio, direction: 'in', edge: 'both', bias: 'as-is', drive: 'push-pull' },
      ...{ activeLow: false, debounceNs: 0, initial: 0 },
    }),
  ),
  interrupts: [],
  workqueues: [],
};
const fail = (error: unknown): never => {
  throw error;
};
const events = {
  onLost: (_chip: string, _line: number, count: number) => {
    lost += count;
  },
  onGone: fail,
  onBack: fail,
  onWaiting: (_chip: string, _line: number, why: string) => fail(new Error(why)),
  onHeld: fail,
  onOops: (_where: string, error: unknown) => fail(error),
  onBug: fail,
};
const backend = openBackend(config, createLogger({ output: process.stderr, terminal: false }), events);
const { machine, originNs } = backend;
const { edge } = backend.main;

/**
 * The time of entry is that of irq_handler_entry in the model's trace, which is always on: the clock was looked at for it right
 * before the call, once, as in the other readers. sysfs has no kernel stamps.
 */
function topHalf(): typeof IRQ_WAKE_THREAD {
  const entryNs = machine.clock.lastNs;
  samples.take(driver === 'onoff' ? 0 : Math.round(originNs + edge.stampNs), Math.round(originNs + entryNs));
  return IRQ_WAKE_THREAD;
}

/** The daemon's top halves wake their thread as well. */
function threadFn(): typeof IRQ_HANDLED {
  return IRQ_HANDLED;
}

let blockMs = 0;
const blocking = new Work(() => {
  for (const end = performance.now() + blockMs; performance.now() < end; );
}, 'blocking');

const flags = IRQF_TRIGGER_RISING | IRQF_TRIGGER_FALLING;
await machine.call(function* () {
  for (const offset of offsets(lines)) {
    yield* requestThreadedIrq(backend.main.toIrq(offset), topHalf, threadFn, flags, `line${offset}`, null);
  }
});
backend.start();
obey({
  out,
  samples,
  lost: () => lost,
  block: (ms) => {
    blockMs = ms;
    void machine.call(() => scheduleWork(blocking));
  },
  release: () => backend.close(),
});
