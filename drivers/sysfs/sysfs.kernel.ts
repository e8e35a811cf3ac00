// What the real kernel answers through sysfs: bases, lines of others, exports that are left over, unplugging, many edges.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { KernelError } from '../../kernel/errno.js';
import type { GpioChip } from '../../kernel/gpio/driver.js';
import { failsWith, Recorder } from '../../test/contract/backend.js';
import { BUTTON, NOBODY, setUpEach, sim, until } from '../../test/kernel/driver-lab.js';
import { createGpioSim } from '../../test/kernel/gpio-sim.js';
import { openChardev } from '../chardev/chardev.js';
import { detect } from '../detect.js';
import { openDriver } from '../open.js';
import { findSysfsChips } from './chips.js';
import { openSysfs } from './sysfs.js';

const CLASS = '/sys/class/gpio';
const EDGES = [{ offset: BUTTON, direction: 'in', edge: 'both' }] as const;

setUpEach();

function open(path = sim.path): GpioChip {
  const chip = openSysfs(path);
  onTestFinished(() => chip.close());
  return chip;
}

function exports(): string[] {
  return readdirSync(CLASS).filter((name) => /^gpio\d+$/.test(name));
}

function numberOf(offset: number): number {
  const chip = findSysfsChips().find((candidate) => candidate.name === sim.chipName);
  return (chip?.base ?? Number.NaN) + offset;
}

describe('numbers', () => {
  it('begin anywhere but 0, and each chip has its own', async () => {
    const second = createGpioSim({ label: 'second', lines: 20 });
    onTestFinished(() => second.remove());
    const bases = findSysfsChips().map((chip) => chip.base);
    expect(Math.min(...bases)).toBeGreaterThanOrEqual(512);
    for (const [chip, its] of [
      [open(), sim],
      [open(second.path), second],
    ] as const) {
      const request = chip.requestLines({ lines: [{ offset: 7, direction: 'in' }], consumer: 'test' });
      for (const level of [1, 0] as const) {
        its.pull(7, level);
        expect(request.getValue(7)).toBe(level);
      }
    }
  });

  it('are found by name and label, and openDriver takes the header', () => {
    const second = createGpioSim({ label: 'second', lines: 20 });
    onTestFinished(() => second.remove());
    const choices = { auto: sim, [second.chipName]: second, 'label:second': second };
    for (const [chip, { chipName }] of Object.entries(choices)) {
      expect(openDriver({ driver: 'onoff', chip }).info.name).toBe(chipName);
    }
  });
});

describe('lines of others', () => {
  it('that chardev holds are EBUSY, though line info knows nothing of it', () => {
    const other = openChardev(sim.path);
    onTestFinished(() => other.close());
    other.requestLines({ lines: [{ offset: BUTTON, direction: 'in' }], consumer: 'somebody' });
    const chip = open();
    expect(chip.lineInfo(BUTTON)).toMatchObject({ used: false, consumer: '' });
    const error = failsWith('EBUSY', () => chip.requestLines({ lines: EDGES, consumer: 'test' }));
    expect(error.hint).toContain('gpioinfo');
    expect(exports()).toEqual([]);
  });

  it('that a kernel driver holds are EBUSY', () => {
    const lines = [{ offset: 5, direction: 'in' as const }];
    failsWith('EBUSY', () => open().requestLines({ lines, consumer: 'test' }));
  });

  it('that a program left exported are EBUSY, and what the hint says frees them', () => {
    writeFileSync(`${CLASS}/export`, String(numberOf(BUTTON)));
    const chip = open();
    expect(chip.lineInfo(BUTTON).used).toBe(true);
    const { hint } = failsWith('EBUSY', () => chip.requestLines({ lines: EDGES, consumer: 'test' }));
    const [, number, file] = /echo (\d+) > (\S+)/.exec(hint ?? '') ?? [];
    writeFileSync(file ?? '', number ?? '');
    expect(chip.requestLines({ lines: EDGES, consumer: 'test' }).offsets).toEqual([BUTTON]);
  });

  it('see ours as held by sysfs, until it is given back', () => {
    const other = openChardev(sim.path);
    onTestFinished(() => other.close());
    const chip = open();
    chip.requestLines({ lines: EDGES, consumer: 'test' });
    expect(other.lineInfo(BUTTON)).toMatchObject({ used: true, consumer: 'sysfs' });
    chip.close();
    expect(other.lineInfo(BUTTON).used).toBe(false);
    expect(exports()).toEqual([]);
  });
});

describe('permissions', () => {
  it('a user who may not export gets EACCES, with the group in the hint, and nothing is exported', () => {
    const chip = open();
    process.seteuid?.(NOBODY);
    let error: KernelError;
    try {
      error = failsWith('EACCES', () => chip.requestLines({ lines: EDGES, consumer: 'test' }));
    } finally {
      process.seteuid?.(0);
    }
    expect(error.hint).toMatch(/group.*gpio/);
    expect(exports()).toEqual([]);
  });
});

describe('unplugging', () => {
  it('between an edge and its delivery ends the edges, and nothing else', async () => {
    const chip = open();
    const request = chip.requestLines({ lines: EDGES, consumer: 'test' });
    const recorder = new Recorder(request);
    sim.pull(BUTTON, 1);
    sim.unplug();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(recorder.edges).toEqual([]);
    failsWith('ENODEV', () => request.getValue(BUTTON));
    request.release();
  });

  it('a chip that comes back is opened anew, while the old one stays gone and keeps its hands off', async () => {
    const chip = open();
    const request = chip.requestLines({ lines: EDGES, consumer: 'test' });
    sim.unplug();
    sim.plug();
    failsWith('ENODEV', () => chip.lineInfo(BUTTON));
    const recorder = new Recorder(open().requestLines({ lines: EDGES, consumer: 'again' }));
    request.release();
    chip.close();
    expect(existsSync(`${CLASS}/gpio${numberOf(BUTTON)}`)).toBe(true);
    sim.pull(BUTTON, 1);
    await until(() => recorder.edges.length === 1);
    expect(recorder.word).toBe('R');
  });
});

describe('a line that somebody unexports', () => {
  it('is ENODEV to every call, and can be taken anew', async () => {
    const chip = open();
    const before = readdirSync('/proc/self/fd').length;
    const request = chip.requestLines({ lines: EDGES, consumer: 'test' });
    request.onEdges(() => expect.fail('there was no edge'));
    writeFileSync(`${CLASS}/unexport`, String(numberOf(BUTTON)));
    failsWith('ENODEV', () => chip.lineInfo(BUTTON));
    failsWith('ENODEV', () => request.getValue(BUTTON));
    failsWith('ENODEV', () => request.reconfigure([{ offset: BUTTON, direction: 'out' }]));
    const again = open().requestLines({ lines: EDGES, consumer: 'again' });
    request.release();
    expect(again.getValue(BUTTON)).toBe(0);
    again.release();
    expect(exports()).toEqual([]);
    expect(readdirSync('/proc/self/fd')).toHaveLength(before);
  });
});

describe('a line that somebody unexports and exports again', () => {
  it('is theirs: releasing ours closes our descriptor, and leaves it exported', () => {
    const chip = open();
    const before = readdirSync('/proc/self/fd').length;
    const request = chip.requestLines({ lines: EDGES, consumer: 'test' });
    const number = String(numberOf(BUTTON));
    for (const file of ['unexport', 'export']) writeFileSync(`${CLASS}/${file}`, number);
    failsWith('ENODEV', () => request.reconfigure([{ offset: BUTTON, direction: 'out' }]));
    request.release();
    expect(exports()).toEqual([`gpio${number}`]);
    expect(readdirSync('/proc/self/fd')).toHaveLength(before);
    writeFileSync(`${CLASS}/unexport`, number);
  });
});

describe('edges', () => {
  it('500, each heard of before the next: none lost, none twice, in order', async () => {
    const recorder = new Recorder(open().requestLines({ lines: EDGES, consumer: 'test' }));
    for (let sent = 0; sent < 500; sent++) {
      sim.pull(BUTTON, sent % 2 === 0 ? 1 : 0);
      await until(() => recorder.edges.length > sent);
    }
    expect(recorder.word).toBe('RF'.repeat(250));
  });
});

describe('detect', () => {
  it('says of every driver that it can be used here', () => {
    const { drivers } = detect();
    expect(drivers).toMatchObject(['chardev', 'libgpiod', 'onoff'].map((name) => ({ name, refused: undefined })));
  });
});
