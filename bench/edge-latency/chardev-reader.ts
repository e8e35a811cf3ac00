// This project's chardev driver, from the kernel to a plain edge sink.

import { openChardev } from '../../drivers/chardev/chardev.js';
import { readerArguments, Samples, sayReady } from './samples.js';

const { chip: path, offset, count, out } = readerArguments();
const samples = new Samples(count);
const chip = openChardev(path);
const request = chip.requestLines({
  lines: [{ offset, direction: 'in', edge: 'both' }],
  consumer: 'edge-latency',
});
request.onEdges((batch) => {
  const now = process.hrtime.bigint();
  for (let i = 0; i < batch.count; i++) {
    if (samples.take(batch.timestampNs(i), now)) {
      samples.save(out);
      chip.close();
      return;
    }
  }
});
sayReady();
