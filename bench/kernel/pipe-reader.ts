// What comes behind a kernel's FIFO of edges, with a pipe in its place: the addon, and with MORE "top-half" the model.
import { openSync } from 'node:fs';
import { NodeHostTime } from '../../daemon/bridge/host-time.js';
import { loadAddon } from '../../drivers/chardev/addon.js';
import { EDGE_BATCH_MAX, EDGE_RECORD_BYTES, EdgeBatch } from '../../kernel/gpio/driver.js';
import {
  EdgeDomain,
  IRQ_HANDLED,
  IRQ_WAKE_THREAD,
  IRQF_TRIGGER_FALLING,
  IRQF_TRIGGER_RISING,
  Machine,
  MonotonicClock,
  requestThreadedIrq,
} from '../../kernel/index.js';
import { obey, readerArguments, Samples } from './reader.js';

const { chip: fifo, lines, out, more } = readerArguments();
const samples = new Samples();
const buffer = new ArrayBuffer(EDGE_RECORD_BYTES * EDGE_BATCH_MAX);
const batch = new EdgeBatch(buffer);

/** As chardev-reader. */
function takeAll(): void {
  const now = Number(process.hrtime.bigint());
  for (let i = 0; i < batch.count; i++) samples.take(batch.timestampSince(i, 0, 0), now);
}

/** As top-half-reader: the way of the daemon from a batch to a top half, and the thread that this wakes. */
async function throughModel(): Promise<() => void> {
  const host = new NodeHostTime();
  const clock = new MonotonicClock(host);
  const machine = new Machine({ clock });
  // A writer numbers its records from 1, and several come one after the other.
  const domain = new EdgeDomain(machine, { name: 'pipe', lines, originNs: host.originNs, hasSeqno: false });
  const origin = Number(host.originNs);
  const { edge } = domain;
  const topHalf = (): typeof IRQ_WAKE_THREAD => {
    const entryNs = clock.lastNs;
    samples.take(Math.round(origin + edge.stampNs), Math.round(origin + entryNs));
    return IRQ_WAKE_THREAD;
  };
  const flags = IRQF_TRIGGER_RISING | IRQF_TRIGGER_FALLING;
  await machine.call(function* () {
    for (let line = 0; line < lines; line++) {
      yield* requestThreadedIrq(domain.toIrq(line), topHalf, () => IRQ_HANDLED, flags, `line${line}`, null);
    }
  });
  return () => domain.deliver(batch);
}

const take = more === 'top-half' ? await throughModel() : takeAll;
const addon = loadAddon();
const handle = addon.pollFd(openSync(fifo, 'r+'), EDGE_RECORD_BYTES);
if (typeof handle === 'number') throw new Error(`cannot poll ${fifo}: errno ${-handle}`);
addon.listen(handle, buffer, (count) => {
  batch.count = count;
  take();
});
addon.setReading(handle, true);
obey({ out, samples, release: () => addon.close(handle) });
