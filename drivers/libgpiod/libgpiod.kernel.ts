// What the real kernel answers through libgpiod: holders, descriptors, unplugging, collected objects, and many edges.
import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { KernelError } from '../../kernel/errno.js';
import { failsWith, Recorder } from '../../test/contract/backend.js';
import { BUTTON, NOBODY, press, setUpEach, sim, until } from '../../test/kernel/driver-lab.js';
import { openChardev } from '../chardev/chardev.js';
import { openDriver } from '../open.js';
import { openPooled } from './chip-pool.js';
import { eventDescriptors } from './event-fd.js';
import { openLibgpiod } from './libgpiod.js';
import { loadLibgpiod, type NativeChip, type NativeLine } from './node-libgpiod.js';

const EDGES = [{ offset: BUTTON, direction: 'in', edge: 'both' }] as const;

setUpEach();

function open(): ReturnType<typeof openLibgpiod> {
  const chip = openLibgpiod(sim.path);
  onTestFinished(() => chip.close());
  return chip;
}

function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

describe('errors of the kernel', () => {
  it('a line that a kernel driver holds is EBUSY, with the driver in the hint', () => {
    const lines = [{ offset: 5, direction: 'in' as const }];
    const error = failsWith('EBUSY', () => open().requestLines({ lines, consumer: 'test' }));
    expect(error.hint).toBe("GPIO5 is held by 'w1-gpio'; free it or pick another line");
  });

  it('are those of chardev for a chip that is not there, is something else, or may not be opened', () => {
    failsWith('ENOENT', () => openLibgpiod('/dev/gpiochip99'));
    failsWith('ENOTTY', () => openLibgpiod('/dev/null'));
    process.seteuid?.(NOBODY);
    let error: KernelError;
    try {
      error = failsWith('EACCES', () => openLibgpiod(sim.path));
    } finally {
      process.seteuid?.(0);
    }
    expect(error.hint).toMatch(/group.*gpio/);
  });
});

describe('descriptors', () => {
  it('of edges are closed with the request, the ones of the package and our own', () => {
    const chip = open();
    chip.requestLines({ lines: EDGES, consumer: 'warm up' }).release();
    const before = descriptors();
    for (let round = 0; round < 20; round++) {
      const request = chip.requestLines({ lines: EDGES, consumer: 'test' });
      request.onEdges(() => {});
      expect(eventDescriptors().size).toBe(2);
      request.release();
    }
    expect(eventDescriptors().size).toBe(0);
    expect(descriptors()).toBe(before);
  });

  it('of a chip that is opened again and again are not piled up', () => {
    open().close();
    const before = descriptors();
    for (let round = 0; round < 20; round++) openLibgpiod(sim.path).close();
    expect(descriptors()).toBe(before);
  });

  it('are not taken for those of lines that chardev holds meanwhile', async () => {
    const other = openChardev(sim.path);
    onTestFinished(() => other.close());
    other.requestLines({ lines: [{ offset: 18, direction: 'in', edge: 'both' }], consumer: 'chardev' });
    const recorder = new Recorder(open().requestLines({ lines: EDGES, consumer: 'libgpiod' }));
    press(2);
    await until(() => recorder.edges.length === 2);
    expect(recorder.word).toBe('RF');
  });
});

describe('unplugging', () => {
  it('a chip that comes back is opened anew, under the same name too, while the old one stays gone', async () => {
    const chip = open();
    const request = chip.requestLines({ lines: EDGES, consumer: 'test' });
    let told = 0;
    request.onGone(() => {
      told += 1;
    });
    sim.unplug();
    await until(() => told === 1);
    sim.plug();
    failsWith('ENODEV', () => request.getValue(BUTTON));
    failsWith('ENODEV', () => chip.lineInfo(BUTTON));
    const recorder = new Recorder(open().requestLines({ lines: EDGES, consumer: 'again' }));
    press(3);
    await until(() => recorder.edges.length === 3);
    request.release();
    press(1, 3);
    await until(() => recorder.edges.length === 4);
  });

  it('gives descriptor and number of the chip back with the next collection, which frees nothing twice', async () => {
    sim.unplug();
    await collect();
    const before = descriptors();
    sim.plug();
    const names = new Set<string>();
    for (let round = 0; round < 4; round++) {
      await useAndUnplug();
      await collect();
      expect(descriptors()).toBe(before);
      sim.plug();
      names.add(sim.chipName);
    }
    expect(names.size).toBe(1);
  });

  // A line that is freed after its chip ends the process, but only now and then.
  it('keeps a chip until it is gone, and its lines for ever', async () => {
    const { lines, chip } = openUnreferenced();
    await collect();
    expect(chip.deref()).toBeDefined();
    sim.unplug();
    for (let i = 0; i < 100 && chip.deref() !== undefined; i++) await collect();
    expect(chip.deref()).toBeUndefined();
    expect(lines.filter((line) => line.deref() === undefined)).toEqual([]);
  });

  /** Opens a chip that nobody but the pool has then. */
  function openUnreferenced(): { chip: WeakRef<NativeChip>; lines: WeakRef<NativeLine>[] } {
    const { chip, lines } = openPooled(loadLibgpiod(), sim.path);
    return { chip: new WeakRef(chip), lines: lines.map((line) => new WeakRef(line)) };
  }

  async function collect(): Promise<void> {
    setFlagsFromString('--expose-gc');
    const gc: unknown = runInNewContext('gc');
    for (let i = 0; i < 5; i++) {
      if (typeof gc === 'function') gc();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** In a function of its own, so that nothing of it is referenced afterwards. */
  async function useAndUnplug(): Promise<void> {
    const chip = openLibgpiod(sim.path);
    const request = chip.requestLines({ lines: EDGES, consumer: 'test' });
    let gone = false;
    chip.onGone(() => {
      gone = true;
    });
    sim.unplug();
    failsWith('ENODEV', () => chip.requestLines({ lines: [{ offset: 3, direction: 'in' }], consumer: 'test' }));
    await until(() => gone);
    request.release();
    chip.close();
  }
});

describe('edges', () => {
  it('2,000, each read before its FIFO is full: none lost, none twice, in order, stamped by the kernel', async () => {
    const recorder = new Recorder(open().requestLines({ lines: EDGES, consumer: 'test' }));
    for (let sent = 0; sent < 2_000; sent += 16) {
      press(16, sent);
      await until(() => recorder.edges.length >= sent + 16);
    }
    expect(recorder.word).toBe('RF'.repeat(1_000));
    const stamps = recorder.edges.map((edge) => edge.timestampNs);
    expect(stamps.every((stamp, i) => i === 0 || stamp > (stamps[i - 1] ?? 0n))).toBe(true);
  });
});

describe('openDriver', () => {
  it('takes libgpiod by name, for the header too', () => {
    for (const chip of ['auto', sim.chipName]) {
      const opened = openDriver({ driver: 'libgpiod', chip });
      onTestFinished(() => opened.close());
      expect(opened).toMatchObject({ driver: 'libgpiod', info: { label: 'pinctrl-bcm2835' } });
    }
  });
});
