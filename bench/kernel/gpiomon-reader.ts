// A peer: libgpiod's gpiomon, a program of its own, with its lines of text piped into Node.
import { spawn } from 'node:child_process';
import { obey, offsets, readerArguments, Samples } from './reader.js';

const { chip, lines, out } = readerArguments();
const samples = new Samples();
const args = ['--line-buffered', '--format=%s %n', chip.replace('/dev/', ''), ...offsets(lines).map(String)];
const gpiomon = spawn('gpiomon', args, { stdio: ['ignore', 'pipe', 'inherit'] });
let rest = '';
gpiomon.stdout.setEncoding('latin1').on('data', (text: string) => {
  const now = Number(process.hrtime.bigint());
  const parts = (rest + text).split('\n');
  rest = parts.pop() ?? '';
  for (const part of parts) {
    const space = part.indexOf(' ');
    samples.take(Number(part.slice(0, space)) * 1e9 + Number(part.slice(space + 1)), now);
  }
});
gpiomon.once('exit', (status, signal) => {
  throw new Error(`gpiomon ended with ${signal ?? status}`);
});
obey({
  out,
  samples,
  release: () => {
    gpiomon.removeAllListeners('exit');
    gpiomon.kill('SIGKILL');
  },
});
