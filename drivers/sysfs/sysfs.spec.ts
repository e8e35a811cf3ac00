// The sysfs driver over a made-up sysfs: what it writes, what it refuses, and what it leaves alone.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ERRNO, KernelError } from '../../kernel/errno.js';
import type { GpioChip, LineConfig } from '../../kernel/gpio/driver.js';
import { failsWith, Recorder } from '../../test/contract/backend.js';
import { type FakeGpio, type FakeSysfs, fakeSysfs, systemFailure } from './fake-sysfs.spec-helper.js';
import { openSysfs, probeSysfs } from './sysfs.js';

const BASE = 571;
const CHIP = { name: 'gpiochip0', label: 'pinctrl-rp1', base: BASE, lines: 54, parent: 'axi/rp1' } as const;

let root: string;
let sysfs: FakeSysfs;
let chip: GpioChip;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gpio-irqd-sysfs-'));
  sysfs = fakeSysfs(root);
  sysfs.chip(CHIP);
  chip = openSysfs('/dev/gpiochip0', sysfs);
});
afterEach(() => rmSync(root, { recursive: true }));

function request(...lines: LineConfig[]): ReturnType<GpioChip['requestLines']> {
  return chip.requestLines({ lines, consumer: 'test' });
}

function gpio(offset: number): FakeGpio {
  const found = sysfs.exported.get(BASE + offset);
  if (found === undefined) return expect.fail(`line ${offset} is not exported`);
  return found;
}

describe('taking a line', () => {
  it('exports the number that its chip begins with, and the offset', () => {
    request({ offset: 17, direction: 'in', edge: 'both', activeLow: true });
    expect(gpio(17).options).toEqual({ direction: 'in', edge: 'both', activeLow: true });
  });

  it.each([
    [0, false, 'low'],
    [1, false, 'high'],
    [0, true, 'high'],
    [1, true, 'low'],
  ] as const)(
    'an output of %i with active low %s begins %s: the direction file knows no polarity',
    (initial, activeLow, word) => {
      request({ offset: 4, direction: 'out', initial, activeLow });
      expect(gpio(4).options.direction).toBe(word);
    },
  );

  it('asks for no edge where none is wanted: lines without an interrupt have no such file', () => {
    request({ offset: 4, direction: 'out' }, { offset: 5, direction: 'in', edge: 'none' });
    expect([gpio(4).options.edge, gpio(5).options.edge]).toEqual([undefined, undefined]);
  });

  it('does not take over a line that is exported, and says how to free it', () => {
    mkdirSync(join(sysfs.classDir, `gpio${BASE + 17}`));
    const error = failsWith('EBUSY', () => request({ offset: 3, direction: 'in' }, { offset: 17, direction: 'in' }));
    expect(error.hint).toContain(`echo ${BASE + 17} > ${join(sysfs.classDir, 'unexport')}`);
    expect(sysfs.exported.size).toBe(0);
  });

  it.each([
    ['EBUSY', ERRNO.EBUSY, /gpioinfo/],
    ['EACCES', ERRNO.EACCES, /group/],
    ['EINVAL', ERRNO.EINVAL, /no line 574/],
  ] as const)('tells what %s means', (code, errno, hint) => {
    sysfs.failNext(systemFailure(code, errno, join(sysfs.classDir, 'export')));
    expect(failsWith(code, () => request({ offset: 3, direction: 'in' })).hint).toMatch(hint);
  });

  it('tells which setting of the unit makes sysfs read-only', () => {
    const EROFS = 30;
    sysfs.failNext(systemFailure('EROFS', EROFS, join(sysfs.classDir, 'export')));
    const error = failsWith('EIO', () => request({ offset: 3, direction: 'in' }));
    expect(error.message).toContain('EROFS');
    expect(error.hint).toContain('ProtectKernelTunables=no');
  });

  it('gives a line back that was exported and could not be configured', () => {
    // A line without an interrupt: its folder is there, the file `edge` in it is not.
    const { Gpio } = sysfs.load();
    class NoInterrupt extends Gpio {
      constructor(...args: ConstructorParameters<typeof Gpio>) {
        super(...args);
        throw systemFailure('ENOENT', ERRNO.ENOENT, join(sysfs.classDir, `gpio${args[0]}`, 'edge'));
      }
    }
    const without = openSysfs('gpiochip0', { ...sysfs, load: () => ({ Gpio: NoInterrupt }) });
    const lines = [{ offset: 3, direction: 'in', edge: 'both' } as const];
    const error = failsWith('ENOTSUP', () => without.requestLines({ lines, consumer: 'test' }));
    expect(error.message).toContain('sysfs');
    expect(readFileSync(join(sysfs.classDir, 'unexport'), 'utf8')).toBe(String(BASE + 3));
  });

  it('leaves a line to whoever exported it in the moment before', () => {
    const { Gpio } = sysfs.load();
    class TooLate extends Gpio {
      constructor(...args: ConstructorParameters<typeof Gpio>) {
        mkdirSync(join(sysfs.classDir, `gpio${args[0]}`));
        sysfs.failNext(systemFailure('EBUSY', ERRNO.EBUSY, join(sysfs.classDir, 'export')));
        super(...args);
      }
    }
    const late = openSysfs('gpiochip0', { ...sysfs, load: () => ({ Gpio: TooLate }) });
    failsWith('EBUSY', () => late.requestLines({ lines: [{ offset: 3, direction: 'in' }], consumer: 'test' }));
    expect(existsSync(join(sysfs.classDir, 'unexport'))).toBe(false);
  });
});

describe('edges', () => {
  it('have a stamp of the moment in which they were heard of, and no numbers', () => {
    const recorder = new Recorder(request({ offset: 17, direction: 'in', edge: 'both' }));
    const before = process.hrtime.bigint();
    gpio(17).level = 1;
    gpio(17).wake();
    const [edge] = recorder.edges;
    expect(edge).toMatchObject({ offset: 17, rising: true, seqno: 0, lineSeqno: 0 });
    expect(edge?.timestampNs).toBeGreaterThanOrEqual(before);
    expect(edge?.timestampNs).toBeLessThanOrEqual(process.hrtime.bigint());
  });

  it('end, and throw nowhere, when the chip is gone in the moment of one', () => {
    const recorder = new Recorder(request({ offset: 17, direction: 'in', edge: 'both' }));
    const line = gpio(17);
    sysfs.remove(BASE);
    expect(() => line.wake()).not.toThrow();
    expect(recorder.edges).toEqual([]);
    expect(line.watched).toBe(false);
  });

  it('begin with a line that becomes one with edges, and end with one that has none', () => {
    const held = request({ offset: 17, direction: 'in' });
    const recorder = new Recorder(held);
    const line = gpio(17);
    expect(line.watched).toBe(false);
    held.reconfigure([{ offset: 17, direction: 'in', edge: 'rising' }]);
    expect(chip.lineInfo(17).edge).toBe('rising');
    line.level = 1;
    line.wake();
    expect(recorder.word).toBe('R');
    held.reconfigure([{ offset: 17, direction: 'out' }]);
    expect(line.watched).toBe(false);
    expect(chip.lineInfo(17)).toMatchObject({ edge: 'none', direction: 'out' });
  });
});

describe('a chip that goes and comes back', () => {
  it('is another one, though name, base and label are the same', async () => {
    const held = request({ offset: 17, direction: 'in' });
    const told: string[] = [];
    chip.onGone((error) => told.push(error instanceof KernelError ? error.code : ''));
    held.onGone((error) => told.push(error instanceof KernelError ? error.code : ''));
    sysfs.remove(BASE);
    sysfs.chip(CHIP);
    failsWith('ENODEV', () => chip.lineInfo(17));
    failsWith('ENODEV', () => held.getValue(17));
    failsWith('ENODEV', () => request({ offset: 3, direction: 'in' }));
    expect(told).toEqual(['ENODEV', 'ENODEV']);
    expect(openSysfs('gpiochip0', sysfs).lineInfo(17).used).toBe(false);
  });

  it('keeps a line that somebody else has exported meanwhile', () => {
    const held = request({ offset: 17, direction: 'in' });
    const mine = gpio(17);
    sysfs.remove(BASE);
    sysfs.chip(CHIP);
    const lines = [{ offset: 17, direction: 'in' } as const];
    openSysfs('gpiochip0', sysfs).requestLines({ lines, consumer: 'other' });
    const theirs = gpio(17);
    expect(theirs).not.toBe(mine);
    held.release();
    expect(sysfs.exported.get(BASE + 17)).toBe(theirs);
    expect(chip.driver).toBe('sysfs');
  });
});

describe('a line that somebody unexports', () => {
  it('is ENODEV to every call, and the chip is to be opened anew', () => {
    const held = request({ offset: 17, direction: 'in', edge: 'both' }, { offset: 4, direction: 'out' });
    const told: string[] = [];
    chip.onGone((error) => told.push(error.message));
    gpio(17).unexport();
    const { hint } = failsWith('ENODEV', () => chip.lineInfo(17));
    expect(hint).toContain('unexported');
    expect(told).toHaveLength(1);
    failsWith('ENODEV', () => chip.lineInfo(4));
    held.release();
    expect(openSysfs('gpiochip0', sysfs).lineInfo(4).used).toBe(false);
  });

  it('is not reconfigured when it is exported again: it is theirs', () => {
    const held = request({ offset: 17, direction: 'in' });
    sysfs.remove(BASE);
    sysfs.chip(CHIP);
    const others = openSysfs('gpiochip0', sysfs);
    others.requestLines({ lines: [{ offset: 17, direction: 'in' }], consumer: 'other' });
    failsWith('ENODEV', () => held.reconfigure([{ offset: 17, direction: 'out', activeLow: true }]));
    expect(others.lineInfo(17)).toMatchObject({ direction: 'in', activeLow: false });
  });
});

describe('reconfiguring', () => {
  it('asks for edges of a line without an interrupt: ENOTSUP, and the line is as it was', () => {
    const held = request({ offset: 17, direction: 'out' });
    rmSync(join(sysfs.classDir, `gpio${BASE + 17}`, 'edge'));
    failsWith('ENOTSUP', () => held.reconfigure([{ offset: 17, direction: 'in', edge: 'both' }]));
    expect(chip.lineInfo(17).direction).toBe('out');
    held.setValue(17, 1);
    expect(held.getValue(17)).toBe(1);
  });
});

describe('openSysfs', () => {
  it('does not find a chip that is not there', () => {
    failsWith('ENOENT', () => openSysfs('/dev/gpiochip7', sysfs));
  });

  it('says that onoff is missing', () => {
    const load = (): never => {
      throw new KernelError('ENOSYS', 'no onoff', { hint: 'install it' });
    };
    failsWith('ENOSYS', () => openSysfs('gpiochip0', { ...sysfs, load }));
    failsWith('ENOSYS', () => probeSysfs({ ...sysfs, load }));
  });

  it('is possible where sysfs shows a chip', () => {
    expect(() => probeSysfs(sysfs)).not.toThrow();
    sysfs.remove(BASE);
    failsWith('ENOENT', () => probeSysfs(sysfs));
  });
});
