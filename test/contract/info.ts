// Contract of chip and line info: what anyone may see, the watch over it, and a chip that goes away.
import { describe, expect, it } from 'vitest';
import type { GpioChip, LineInfoChange, LineRequest } from '../../kernel/gpio/driver.js';
import { type Backend, type Can, type ContractBackend, failsWith } from './backend.js';

/** Tests of `info`, `lineInfo`, `watchLineInfo`, `onGone` and `close`. */
export function infoContract(backend: Backend, can: Can): void {
  describe('chip and line info', () => {
    it('says its driver, name, label and number of lines', () => {
      const { chip } = backend();
      expect(['chardev', 'libgpiod', 'sysfs', 'sim']).toContain(chip.driver);
      expect(chip.simulated).toBe(chip.driver === 'sim');
      expect(chip.info.name).not.toBe('');
      expect(chip.info.label).not.toBe('');
      expect(chip.info.lines).toBeGreaterThanOrEqual(32);
    });

    it(`shows a free line as unused, ${can.lineNames ? 'with its name' : 'without a name'}`, () => {
      const info = backend().chip.lineInfo(17);
      expect(info).toMatchObject({ offset: 17, used: false, consumer: '' });
      expect(info.name !== '').toBe(can.lineNames);
    });

    it('shows that a line is held, and to its holder by whom, until it is released', () => {
      const { chip, otherChip } = backend();
      const other = otherChip();
      const request = chip.requestLines({ lines: [{ offset: 17, direction: 'out' }], consumer: 'contract' });
      for (const opener of [chip, other]) expect(opener.lineInfo(17)).toMatchObject({ used: true, direction: 'out' });
      expect(chip.lineInfo(17).consumer).toBe('contract');
      request.release();
      for (const opener of [chip, other]) expect(opener.lineInfo(17)).toMatchObject({ used: false, consumer: '' });
    });

    it(`${can.lineHolders ? 'shows' : 'does not show'} to others who holds a line`, () => {
      const { chip, otherChip } = backend();
      chip.requestLines({ lines: [{ offset: 17, direction: 'in' }], consumer: 'contract' });
      expect(otherChip().lineInfo(17).consumer).toBe(can.lineHolders ? 'contract' : '');
    });

    it(`${can.lineEdges ? 'shows' : 'does not show'} to others which edges a line reports`, () => {
      const { chip, otherChip } = backend();
      chip.requestLines({ lines: [{ offset: 17, direction: 'in', edge: 'both' }], consumer: 'contract' });
      expect(otherChip().lineInfo(17)).toMatchObject({ used: true, edge: can.lineEdges ? 'both' : 'none' });
    });

    it('shows direction, polarity, edge, bias and drive of a held line', () => {
      const { chip } = backend();
      const { activeLow, bias, openDrain } = can;
      chip.requestLines({
        lines: [
          {
            offset: 3,
            direction: 'in',
            edge: 'falling',
            ...(activeLow ? { activeLow: true } : {}),
            ...(bias ? { bias: 'pull-up' as const } : {}),
          },
          { offset: 4, direction: 'out', ...(openDrain ? { drive: 'open-drain' as const } : {}) },
        ],
        consumer: 'contract',
      });
      expect(chip.lineInfo(3)).toMatchObject({ direction: 'in', edge: 'falling', activeLow, drive: 'push-pull' });
      if (bias) expect(chip.lineInfo(3).bias).toBe('pull-up');
      expect(chip.lineInfo(4)).toMatchObject({ direction: 'out', edge: 'none', activeLow: false });
      if (openDrain) expect(chip.lineInfo(4).drive).toBe('open-drain');
    });

    it('cuts the consumer to 31 bytes', () => {
      const { chip } = backend();
      chip.requestLines({ lines: [{ offset: 5, direction: 'in' }], consumer: 'c'.repeat(40) });
      expect(chip.lineInfo(5).consumer).toBe('c'.repeat(31));
    });

    it('refuses an offset that is no line with EINVAL', () => {
      const { chip } = backend();
      for (const offset of [-1, chip.info.lines, 1.5, Number.NaN]) failsWith('EINVAL', () => chip.lineInfo(offset));
    });

    it('releases all lines on close, which is idempotent, and answers EBADF from then on', () => {
      const { chip, otherChip } = backend();
      const other = otherChip();
      const request = chip.requestLines({ lines: [{ offset: 6, direction: 'in' }], consumer: 'contract' });
      chip.close();
      chip.close();
      expect(other.lineInfo(6).used).toBe(false);
      failsWith('EBADF', () => chip.lineInfo(6));
      failsWith('EBADF', () => request.getValue(6));
      failsWith('EBADF', () => chip.requestLines({ lines: [{ offset: 6, direction: 'in' }], consumer: 'x' }));
    });
  });

  if (can.lineInfoWatch) watchContract(backend);
  else noWatchContract(backend);
  if (can.goneNotice) goneContract(backend, can);
  else noNoticeContract(backend, can);
}

function watchContract(backend: Backend): void {
  describe('watching line info', () => {
    it('reports request, reconfiguration and release by someone else, in order and stamped', async () => {
      const { chip, otherChip, settle } = backend();
      const seen: LineInfoChange[] = [];
      chip.watchLineInfo(17, (change) => seen.push(change));
      const request = otherChip().requestLines({ lines: [{ offset: 17, direction: 'in' }], consumer: 'somebody' });
      await settle();
      request.reconfigure([{ offset: 17, direction: 'out' }]);
      await settle();
      request.release();
      await settle();
      expect(seen.map((change) => change.kind)).toEqual(['requested', 'reconfigured', 'released']);
      expect(seen[0]?.info).toMatchObject({ offset: 17, used: true, consumer: 'somebody', direction: 'in' });
      expect(seen[1]?.info.direction).toBe('out');
      expect(seen[2]?.info).toMatchObject({ offset: 17, used: false });
      const stamps = seen.map((change) => change.timestampNs);
      expect(stamps).toEqual([...stamps].sort((a, b) => (a < b ? -1 : 1)));
    });

    it('reports only lines that are watched', async () => {
      const { chip, otherChip, settle } = backend();
      const seen: number[] = [];
      chip.watchLineInfo(8, (change) => seen.push(change.info.offset));
      const lines = [7, 8, 9].map((offset) => ({ offset, direction: 'in' as const }));
      otherChip().requestLines({ lines, consumer: 'somebody' });
      await settle();
      expect(seen).toEqual([8]);
    });

    it('stops when the watch is ended, and lets others of the line go on', async () => {
      const { chip, otherChip, settle } = backend();
      const first: string[] = [];
      const second: string[] = [];
      const end = chip.watchLineInfo(8, (change) => first.push(change.kind));
      chip.watchLineInfo(8, (change) => second.push(change.kind));
      const request = otherChip().requestLines({ lines: [{ offset: 8, direction: 'in' }], consumer: 'somebody' });
      await settle();
      end();
      end();
      request.release();
      await settle();
      expect(first).toEqual(['requested']);
      expect(second).toEqual(['requested', 'released']);
    });

    it('can be started again after it was ended', async () => {
      const { chip, otherChip, settle } = backend();
      chip.watchLineInfo(8, () => {})();
      const seen: string[] = [];
      chip.watchLineInfo(8, (change) => seen.push(change.kind));
      otherChip().requestLines({ lines: [{ offset: 8, direction: 'in' }], consumer: 'somebody' });
      await settle();
      expect(seen).toEqual(['requested']);
    });

    it('refuses an offset that is no line with EINVAL', () => {
      const { chip } = backend();
      failsWith('EINVAL', () => chip.watchLineInfo(chip.info.lines, () => {}));
    });
  });
}

function noWatchContract(backend: Backend): void {
  describe('watching line info', () => {
    it('is refused with ENOTSUP, and lets others take the line', () => {
      const { chip, otherChip } = backend();
      const error = failsWith('ENOTSUP', () => chip.watchLineInfo(17, () => {}));
      expect(error.message).toContain(chip.driver);
      const lines = [{ offset: 17, direction: 'in' as const }];
      expect(otherChip().requestLines({ lines, consumer: 'somebody' }).offsets).toEqual([17]);
    });

    it('is not needed to see a change: line info is always new', () => {
      const { chip, otherChip } = backend();
      const other = otherChip();
      expect(chip.lineInfo(17).used).toBe(false);
      const request = other.requestLines({ lines: [{ offset: 17, direction: 'in' }], consumer: 'somebody' });
      expect(chip.lineInfo(17).used).toBe(true);
      request.release();
      expect(chip.lineInfo(17).used).toBe(false);
    });
  });
}

/** Requests lines, and listens to all that is told of them. */
function heldLines({ chip }: ContractBackend): { request: LineRequest; told: string[] } {
  const told: string[] = [];
  const request = chip.requestLines({
    lines: [
      { offset: 17, direction: 'in', edge: 'both' },
      { offset: 4, direction: 'out' },
    ],
    consumer: 'contract',
  });
  request.onEdges(() => told.push('edge'));
  request.onGone((error) => told.push(`request ${'code' in error ? error.code : ''}`));
  chip.onGone((error) => told.push(`chip ${'code' in error ? error.code : ''}`));
  return { request, told };
}

async function moments({ settle }: ContractBackend): Promise<void> {
  for (let i = 0; i < 3; i++) await settle(10);
}

function goneContract(backend: Backend, can: Can): void {
  describe('unplugging', () => {
    it('tells requests and chip once, with ENODEV, and answers ENODEV from then on', async () => {
      const it = backend();
      const { request, told } = heldLines(it);
      it.unplug();
      await moments(it);
      expect(told.sort()).toEqual(['chip ENODEV', 'request ENODEV']);
      failsWith('ENODEV', () => request.getValue(17));
      answersNoDevice(it.chip, request, can);
      request.release();
      failsWith('EBADF', () => request.getValue(17));
    });

    it('tells a request without edges, and a listener that comes late', async () => {
      const it = backend();
      const told: string[] = [];
      const request = it.chip.requestLines({ lines: [{ offset: 4, direction: 'out' }], consumer: 'contract' });
      request.onGone(() => told.push('early'));
      it.unplug();
      await moments(it);
      request.onGone(() => told.push('late'));
      await moments(it);
      expect(told).toEqual(['early', 'late']);
    });
  });
}

/** `request` has line 17, an input, and 4, an output. */
function answersNoDevice(chip: GpioChip, request: LineRequest, can: Can): void {
  failsWith('ENODEV', () => request.getValues());
  failsWith('ENODEV', () => request.setValue(4, 1));
  failsWith('ENODEV', () => request.setValues(new Map([[4, 0]])));
  const turned = [
    { offset: 17, direction: 'in', edge: 'rising' },
    { offset: 4, direction: 'in' },
  ] as const;
  if (can.reconfigure) failsWith('ENODEV', () => request.reconfigure(turned));
  failsWith('ENODEV', () => chip.lineInfo(17));
  if (can.lineInfoWatch) failsWith('ENODEV', () => chip.watchLineInfo(3, () => {}));
  failsWith('ENODEV', () => chip.requestLines({ lines: [{ offset: 1, direction: 'in' }], consumer: 'x' }));
}

function noNoticeContract(backend: Backend, can: Can): void {
  describe('unplugging', () => {
    it('is not told of by itself', async () => {
      const it = backend();
      const { told } = heldLines(it);
      it.unplug();
      await moments(it);
      expect(told).toEqual([]);
    });

    it('tells requests and chip once, with ENODEV, when a call finds it, and answers ENODEV from then on', async () => {
      const it = backend();
      const { request, told } = heldLines(it);
      it.unplug();
      failsWith('ENODEV', () => request.getValue(17));
      await moments(it);
      expect(told.sort()).toEqual(['chip ENODEV', 'request ENODEV']);
      answersNoDevice(it.chip, request, can);
      await moments(it);
      expect(told).toHaveLength(2);
      request.release();
      failsWith('EBADF', () => request.getValue(17));
    });

    it('is found by a call to the chip as well', async () => {
      const it = backend();
      const { told } = heldLines(it);
      it.unplug();
      failsWith('ENODEV', () => it.chip.lineInfo(3));
      await moments(it);
      expect(told.sort()).toEqual(['chip ENODEV', 'request ENODEV']);
    });

    it('is told to a listener that comes late', async () => {
      const it = backend();
      const { request, told } = heldLines(it);
      it.unplug();
      failsWith('ENODEV', () => request.getValue(17));
      request.onGone(() => told.push('late'));
      it.chip.onGone(() => told.push('late'));
      await moments(it);
      expect(told.filter((what) => what === 'late')).toHaveLength(2);
    });
  });
}
