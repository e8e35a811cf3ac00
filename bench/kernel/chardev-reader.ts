// This project's chardev driver, from the kernel to a plain edge sink.
import { openChardev } from '../../drivers/chardev/chardev.js';
import { obey, offsets, readerArguments, Samples } from './reader.js';

const { chip: path, lines, out } = readerArguments();
const samples = new Samples();
const chip = openChardev(path);
const request = chip.requestLines({
  lines: offsets(lines).map((offset) => ({ offset, direction: 'in', edge: 'both' })),
  consumer: 'bench-kernel',
});
let last = 0;
let lost = 0;
request.onEdges((batch) => {
  const now = Number(process.hrtime.bigint());
  for (let i = 0; i < batch.count; i++) {
    const seqno = batch.seqno(i);
    lost += seqno - last - 1;
    last = seqno;
    samples.take(batch.timestampSince(i, 0, 0), now);
  }
});
obey({ out, samples, lost: () => lost, release: () => chip.close() });
