// What the real kernel answers through the chardev driver: its errors, unplugging, overflow, threads, and many edges.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EdgeDomain, type KernelError, Machine, VirtualClock } from '../../kernel/index.js';
import { failsWith, Recorder } from '../../test/contract/backend.js';
import { BUTTON, NOBODY, plugAnother, press, setUpEach, sim, until } from '../../test/kernel/driver-lab.js';
import { openChardev } from './chardev.js';
import { FLAG } from './config.js';

const ADDON = createRequire(import.meta.url)('node-gyp-build').path(process.cwd()) as string;

setUpEach();

function open(path = sim.path): ReturnType<typeof openChardev> {
  const chip = openChardev(path);
  onTestFinished(() => chip.close());
  return chip;
}

/** Starts of a script for another process or thread: `addon`, an open `chip`, and a `request` for both edges of the button. */
function preamble(eventBufferSize: number): string {
  const flags = FLAG.INPUT | FLAG.EDGE_RISING | FLAG.EDGE_FALLING;
  return `
    const addon = require(${JSON.stringify(ADDON)});
    const chip = addon.openChip(${JSON.stringify(sim.path)});
    const request = addon.requestLines(
      chip, Uint32Array.of(${BUTTON}), 'elsewhere', BigUint64Array.of(${flags}n), ${eventBufferSize});
    const words = new Uint32Array(12 * 64);
  `;
}

/** Runs a script in another process, which ends with the test. */
function child(script: string): { process: ChildProcess; lines: string[] } {
  const process_ = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(() => {
    process_.kill('SIGKILL');
  });
  const lines: string[] = [];
  createInterface({ input: process_.stdout }).on('line', (line) => lines.push(line));
  return { process: process_, lines };
}

describe('errors of the kernel', () => {
  it('a line that a kernel driver holds is EBUSY, with the driver in the hint', () => {
    const lines = [{ offset: 5, direction: 'in' as const }];
    const error = failsWith('EBUSY', () => open().requestLines({ lines, consumer: 'test' }));
    expect(error.hint).toBe("GPIO5 is held by 'w1-gpio'; free it or pick another line");
    expect(error.subject).toBe('w1-gpio');
  });

  it('a line without a name is told by chip and offset', () => {
    plugAnother({ names: {}, hogs: { 5: { name: 'spi0 CS0', direction: 'output-high' } } });
    const lines = [{ offset: 5, direction: 'in' as const }];
    const error = failsWith('EBUSY', () => open().requestLines({ lines, consumer: 'test' }));
    expect(error.hint).toContain(`line 5 of ${sim.chipName} is held by 'spi0 CS0'`);
  });

  it('a device that the user may not open is EACCES, with the group in the hint', () => {
    process.seteuid?.(NOBODY);
    let error: KernelError;
    try {
      error = failsWith('EACCES', () => openChardev(sim.path));
    } finally {
      process.seteuid?.(0);
    }
    expect(error.hint).toMatch(/group.*gpio/);
  });

  it('a chip that does not exist is ENOENT, one that is something else ENOTTY', () => {
    expect(failsWith('ENOENT', () => openChardev('/dev/gpiochip99')).hint).toContain('detect');
    for (const path of ['/dev/null', '/dev']) failsWith('ENOTTY', () => openChardev(path));
  });

  it('a line beyond the chip is EINVAL, with the range in the hint', () => {
    expect(failsWith('EINVAL', () => open().lineInfo(54)).hint).toContain('0 to 53');
  });

  it('a configuration of more than ten attributes is EINVAL, and one of ten is taken', () => {
    const chip = open();
    const lines = Array.from({ length: 12 }, (_, i) => ({
      offset: 20 + i,
      direction: 'in' as const,
      edge: 'both' as const,
      debounceUs: 1000 * i,
    }));
    failsWith('EINVAL', () => chip.requestLines({ lines, consumer: 'test' }));
    expect(chip.requestLines({ lines: lines.slice(0, 11), consumer: 'test' }).offsets).toHaveLength(11);
    expect(chip.lineInfo(30).debounceUs).toBe(10_000);
  });
});

describe('unplugging', () => {
  it('a chip that comes back is opened anew, while the old one stays gone', async () => {
    const chip = open();
    const request = chip.requestLines({ lines: [{ offset: BUTTON, direction: 'in' }], consumer: 'test' });
    sim.unplug();
    failsWith('ENODEV', () => request.getValue(BUTTON));
    sim.plug();
    failsWith('ENODEV', () => request.getValue(BUTTON));
    const lines = [{ offset: BUTTON, direction: 'in' as const }];
    expect(open().requestLines({ lines, consumer: 'again' }).getValue(BUTTON)).toBe(0);
  });

  it.each(['getValue', 'lineInfo'] as const)(
    'is told to all by %s that finds it, before any poll does, and once',
    async (call) => {
      const chip = open();
      const lines = [{ offset: BUTTON, direction: 'in' as const }];
      const request = chip.requestLines({ lines, consumer: 'test' });
      const told: string[] = [];
      chip.onGone(() => told.push('chip'));
      request.onGone(() => told.push('request'));
      sim.unplug();
      failsWith('ENODEV', () => (call === 'getValue' ? request.getValue(BUTTON) : chip.lineInfo(BUTTON)));
      expect(told).toEqual(['chip', 'request']);
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(told).toEqual(['chip', 'request']);
    },
  );
});

describe('many edges', () => {
  it('10,000 edges: none lost, none twice, in order', async () => {
    const lines = [{ offset: BUTTON, direction: 'in' as const, edge: 'both' as const }];
    const recorder = new Recorder(open().requestLines({ lines, consumer: 'test' }));
    for (let sent = 0; sent < 10_000; sent += 500) {
      press(500, sent);
      await until(() => recorder.edges.length >= sent + 500);
    }
    expect(recorder.edges.map((edge) => edge.lineSeqno)).toEqual(Array.from({ length: 10_000 }, (_, i) => i + 1));
    expect(recorder.word).toBe('RF'.repeat(5_000));
  });

  it.each([0, 300])(
    'JavaScript that stalls for 250 ms while the FIFO gets full and %d more: exactly these are lost',
    async (more) => {
      const lines = [{ offset: BUTTON, direction: 'in' as const, edge: 'both' as const }];
      const request = open().requestLines({ lines, consumer: 'test' });
      expect(request.eventBufferSize).toBe(1024);
      const lost: number[] = [];
      const domain = new EdgeDomain(new Machine({ clock: new VirtualClock() }), {
        ...{ name: 'gpio', lines: 54, originNs: process.hrtime.bigint(), hasSeqno: true },
        onLost: (_, count) => lost.push(count),
      });
      const seqnos: number[] = [];
      request.onEdges((batch) => {
        for (let i = 0; i < batch.count; i++) seqnos.push(batch.lineSeqno(i));
        domain.deliver(batch);
      });
      press(10);
      await until(() => seqnos.length === 10);
      const end = performance.now() + 250;
      press(1024 + more, 10);
      while (performance.now() < end);
      await until(() => seqnos.at(-1) === 10 + 1024 + more);
      // The kernel drops the oldest.
      expect(seqnos.slice(10)).toEqual(Array.from({ length: 1024 }, (_, i) => 11 + more + i));
      expect(lost).toEqual(more === 0 ? [] : [more]);
      // The queue of the domain to its CPU has room for as many as the FIFO.
      expect(domain.countsOf(BUTTON)).toEqual({ received: 1034, lost: more, dropped: 0 });
    },
  );

  it('edges that overflow the FIFO while the process is stopped are a gap of exactly their number', async () => {
    const script = `${preamble(64)}
      addon.listen(request, words.buffer, (count) => {
        for (let i = 0; i < count; i++) console.log(words[i * 12 + 5]);
      });
      addon.setReading(request, true);
      console.log('ready');`;
    const reader = child(script);
    await until(() => reader.lines.includes('ready'));
    press(10);
    await until(() => reader.lines.includes('10'));
    reader.process.kill('SIGSTOP');
    await until(() => / T /.test(readFileSync(`/proc/${reader.process.pid}/stat`, 'utf8')));
    press(100, 10);
    reader.process.kill('SIGCONT');
    await until(() => reader.lines.includes('110'));
    const seen = reader.lines.filter((line) => line !== 'ready').map(Number);
    const kept = Array.from({ length: 64 }, (_, i) => 47 + i);
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ...kept]);
  });
});

describe('many outputs', () => {
  it('are set by one call of the system, however many they are: all at once, where the chip can', async () => {
    const lines = Array.from({ length: 32 }, (_, offset) => ({ offset: offset + 20, direction: 'out' as const }));
    const request = open().requestLines({ lines, consumer: 'test' });
    const trace = spawn('strace', ['-f', '-e', 'trace=ioctl', '-p', String(process.pid)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    onTestFinished(() => {
      trace.kill('SIGKILL');
    });
    const seen: string[] = [];
    createInterface({ input: trace.stderr }).on('line', (line) => seen.push(line));
    await until(() => seen.some((line) => line.includes('attached')));
    request.setValues(new Map(lines.map(({ offset }) => [offset, offset % 2 === 0 ? 1 : 0])));
    trace.kill('SIGINT');
    await once(trace, 'exit');
    expect(seen.filter((line) => line.includes('GPIO_V2_LINE_SET_VALUES_IOCTL'))).toHaveLength(1);
    expect(lines.map(({ offset }) => sim.value(offset))).toEqual(lines.map(({ offset }) => (offset % 2 === 0 ? 1 : 0)));
  });
});

describe('lifetime', () => {
  it('a sink that throws is an uncaughtException, and the next edges come all the same', async () => {
    const script = `${preamble(64)}
      process.on('uncaughtException', (error) => console.log(error.message));
      addon.listen(request, words.buffer, () => { throw new Error('edge ' + words[5]); });
      addon.setReading(request, true);
      console.log('ready');`;
    const thrower = child(script);
    await until(() => thrower.lines.includes('ready'));
    for (const n of [1, 2, 3]) {
      press(1, n - 1);
      await until(() => thrower.lines.includes(`edge ${n}`));
    }
  });

  it('a sink that throws with nobody to catch it ends the process', async () => {
    const script = `${preamble(64)}
      addon.listen(request, words.buffer, () => { throw 'on purpose'; });
      addon.setReading(request, true);
      console.log('ready');`;
    const thrower = child(script);
    await until(() => thrower.lines.includes('ready'));
    press(1);
    const [code] = await once(thrower.process, 'exit');
    expect(code).not.toBe(0);
  });

  it('reading keeps the process alive, and closing lets it end', async () => {
    const script = `${preamble(64)}
      addon.listen(request, words.buffer, () => addon.close(request));
      addon.setReading(request, true);
      console.log('ready');`;
    const reader = child(script);
    await until(() => reader.lines.includes('ready'));
    press(1);
    expect(await once(reader.process, 'exit')).toEqual([0, null]);
  });

  it('a worker thread that is terminated while it reads lets its lines go, again and again', async () => {
    const chip = open();
    for (let round = 0; round < 5; round++) {
      const script = `${preamble(1024)}
        const { parentPort } = require('node:worker_threads');
        addon.listen(request, words.buffer, (count) => parentPort.postMessage(count));
        addon.listen(chip, new ArrayBuffer(288), () => {});
        addon.setReading(request, true);
        parentPort.postMessage(0);`;
      const worker = new Worker(script, { eval: true });
      await once(worker, 'message');
      let seen = 0;
      worker.on('message', (count: number) => {
        seen += count;
      });
      press(20);
      await until(() => seen === 20);
      press(20);
      await worker.terminate();
      expect(chip.lineInfo(BUTTON).used).toBe(false);
    }
  });

  it('a buffer that JavaScript gave away is an error of the reader, not of its memory', async () => {
    const script = `${preamble(64)}
      addon.listen(request, words.buffer, (count, errno) => { console.log(count + ' ' + errno); addon.close(request); });
      addon.setReading(request, true);
      structuredClone(words.buffer, { transfer: [words.buffer] });
      console.log('ready');`;
    const reader = child(script);
    await until(() => reader.lines.includes('ready'));
    press(1);
    await once(reader.process, 'exit');
    expect(reader.lines).toContain('0 14');
  });
});
