// Contract of levels: inputs, outputs, polarity, bias and drive.
import { describe, expect, it } from 'vitest';
import type { Level, LineConfig } from '../../kernel/gpio/driver.js';
import { type Backend, type Can, drive, failsWith, Recorder, refuses } from './backend.js';

const LEVELS: readonly Level[] = [0, 1];

/** Tests of `getValue`, `getValues`, `setValue` and `setValues`. */
export function valueContract(backend: Backend, can: Can): void {
  inputContract(backend, can);
  outputContract(backend);
  keepContract(backend, can);
  driveContract(backend, can);
}

function inputContract(backend: Backend, can: Can): void {
  describe('inputs', () => {
    it('follow the pad', () => {
      const { chip, setPad } = backend();
      const request = chip.requestLines({ lines: [{ offset: 3, direction: 'in' }], consumer: 'contract' });
      for (const level of [0, 1, 0] as const) {
        setPad(3, level);
        expect(request.getValue(3)).toBe(level);
      }
    });

    it('are 1 at a low pad when active low', () => {
      const { chip, setPad } = backend();
      const request = chip.requestLines({
        lines: [{ offset: 3, direction: 'in', activeLow: true }],
        consumer: 'contract',
      });
      for (const level of LEVELS) {
        setPad(3, level);
        expect(request.getValue(3)).toBe(1 - level);
      }
    });

    if (can.bias) {
      it('rest at the level of their bias', () => {
        const { chip } = backend();
        const request = chip.requestLines({
          lines: [
            { offset: 3, direction: 'in', bias: 'pull-up' },
            { offset: 4, direction: 'in', bias: 'pull-down' },
          ],
          consumer: 'contract',
        });
        expect(request.getValues()).toEqual([1, 0]);
      });
    } else {
      it.each(['disabled', 'pull-up', 'pull-down'] as const)(
        'are refused with the bias %s, and taken as they are',
        (bias) => {
          const it = backend();
          refuses(it, [
            { offset: 4, direction: 'in' },
            { offset: 3, direction: 'in', bias },
          ]);
          const lines = [{ offset: 3, direction: 'in', bias: 'as-is' } as const];
          expect(it.chip.requestLines({ lines, consumer: 'contract' }).offsets).toEqual([3]);
        },
      );
    }

    it('refuse to be set, with EPERM', () => {
      const { chip } = backend();
      const request = chip.requestLines({ lines: [{ offset: 3, direction: 'in' }], consumer: 'contract' });
      failsWith('EPERM', () => request.setValue(3, 1));
    });

    it('come in the order of the request, each bit its own line', () => {
      const { chip, setPad } = backend();
      const offsets = Array.from({ length: 32 }, (_, i) => 31 - i);
      const lines: LineConfig[] = offsets.map((offset) => ({ offset, direction: 'in' }));
      for (const offset of offsets) setPad(offset, 0);
      const request = chip.requestLines({ lines, consumer: 'contract' });
      for (const offset of offsets) {
        setPad(offset, 1);
        expect(request.getValues()).toEqual(offsets.map((other) => (other === offset ? 1 : 0)));
        setPad(offset, 0);
      }
    });
  });
}

function outputContract(backend: Backend): void {
  describe('outputs', () => {
    it('take their initial level at the request, 0 when none is given', () => {
      const { chip, readPad } = backend();
      const request = chip.requestLines({
        lines: [
          { offset: 3, direction: 'out', initial: 1 },
          { offset: 4, direction: 'out', initial: 0 },
          { offset: 5, direction: 'out' },
        ],
        consumer: 'contract',
      });
      expect([3, 4, 5].map(readPad)).toEqual([1, 0, 0]);
      expect(request.getValues()).toEqual([1, 0, 0]);
    });

    it('drive the pad to what is set', () => {
      const { chip, readPad } = backend();
      const request = chip.requestLines({ lines: [{ offset: 4, direction: 'out' }], consumer: 'contract' });
      for (const level of [1, 0, 1, 1, 0] as const) {
        request.setValue(4, level);
        expect(readPad(4)).toBe(level);
        expect(request.getValue(4)).toBe(level);
      }
    });

    it('drive the pad low for 1 when active low, the initial level too', () => {
      const { chip, readPad } = backend();
      const request = chip.requestLines({
        lines: [{ offset: 4, direction: 'out', activeLow: true, initial: 1 }],
        consumer: 'contract',
      });
      expect(readPad(4)).toBe(0);
      request.setValue(4, 0);
      expect(readPad(4)).toBe(1);
      expect(request.getValue(4)).toBe(0);
    });

    it('are set several at once, and the others keep their level', () => {
      const { chip, readPad } = backend();
      const offsets = Array.from({ length: 32 }, (_, i) => i);
      const request = chip.requestLines({
        lines: offsets.map((offset) => ({ offset, direction: 'out', initial: offset % 2 === 0 ? 1 : 0 })),
        consumer: 'contract',
      });
      request.setValues(
        new Map([
          [0, 0],
          [1, 1],
          [31, 0],
          [30, 0],
        ]),
      );
      const expected = offsets.map((offset) => (offset % 2 === 0 ? 1 : 0));
      expected.splice(0, 2, 0, 1);
      expected.splice(30, 2, 0, 0);
      expect(offsets.map(readPad)).toEqual(expected);
      expect(request.getValues()).toEqual(expected);
    });

    it('are all left alone by setValues that has an input or a foreign line in it', () => {
      const { chip, readPad } = backend();
      const request = chip.requestLines({
        lines: [
          { offset: 4, direction: 'out' },
          { offset: 3, direction: 'in' },
        ],
        consumer: 'contract',
      });
      const withInput = new Map<number, Level>([
        [4, 1],
        [3, 1],
      ]);
      const withForeign = new Map<number, Level>([
        [4, 1],
        [9, 1],
      ]);
      failsWith('EPERM', () => request.setValues(withInput));
      failsWith('EINVAL', () => request.setValues(withForeign));
      expect(readPad(4)).toBe(0);
    });

    it('are not reached by offsets that are not part of the request: EINVAL', () => {
      const { chip } = backend();
      const request = chip.requestLines({ lines: [{ offset: 4, direction: 'out' }], consumer: 'contract' });
      failsWith('EINVAL', () => request.getValue(5));
      failsWith('EINVAL', () => request.setValue(5, 1));
    });
  });
}

function keepContract(backend: Backend, can: Can): void {
  describe('outputs that keep their level', () => {
    if (!can.keepLevel) {
      it('are refused, and nothing is held', () => {
        refuses(backend(), [
          { offset: 3, direction: 'in' },
          { offset: 4, direction: 'out', initial: 'keep' },
        ]);
      });
      return;
    }

    it.each([
      [0, false],
      [1, false],
      [0, true],
      [1, true],
    ] as const)('drive the pad as it was found, %d, active low %s', (level, activeLow) => {
      const { chip, setPad, readPad } = backend();
      setPad(4, level);
      const request = chip.requestLines({
        lines: [
          { offset: 3, direction: 'out', initial: 1 },
          { offset: 4, direction: 'out', initial: 'keep', activeLow },
          { offset: 5, direction: 'out' },
        ],
        consumer: 'contract',
      });
      expect(chip.lineInfo(4)).toMatchObject({ direction: 'out', activeLow });
      expect([3, 4, 5].map(readPad)).toEqual([1, level, 0]);
      // It drives now: what pulls from outside counts no more.
      setPad(4, level === 1 ? 0 : 1);
      expect(readPad(4)).toBe(level);
      expect(request.getValue(4)).toBe(activeLow ? 1 - level : level);
    });

    it('stay what they were set to at a reconfiguration, and keep what an input saw', () => {
      const { chip, setPad, readPad } = backend();
      setPad(3, 1);
      setPad(4, 1);
      const request = chip.requestLines({
        lines: [
          { offset: 3, direction: 'in', activeLow: true },
          { offset: 4, direction: 'out', initial: 'keep' },
        ],
        consumer: 'contract',
      });
      request.setValue(4, 0);
      request.reconfigure([
        { offset: 3, direction: 'out', initial: 'keep' },
        { offset: 4, direction: 'out', initial: 'keep' },
      ]);
      expect([3, 4].map(readPad)).toEqual([1, 0]);
      expect(request.getValues()).toEqual([1, 0]);
    });

    it('leave a neighbour with edges as it is', async () => {
      const held = backend();
      held.setPad(3, 0);
      held.setPad(4, 1);
      const request = held.chip.requestLines({
        lines: [
          { offset: 3, direction: 'in', edge: 'both' },
          { offset: 4, direction: 'out', initial: 'keep' },
        ],
        consumer: 'contract',
      });
      const recorder = new Recorder(request);
      await drive(held, 3, [1, 0]);
      expect((await recorder.take(held, 2)).map(({ lineSeqno }) => lineSeqno)).toEqual([1, 2]);
    });
  });
}

function driveContract(backend: Backend, can: Can): void {
  describe('drive', () => {
    if (can.openDrain) {
      it('open-drain pulls low for 0 and lets the pad be driven for 1', () => {
        const { chip, readPad, setPad } = backend();
        const request = chip.requestLines({
          lines: [{ offset: 4, direction: 'out', drive: 'open-drain' }],
          consumer: 'contract',
        });
        expect(readPad(4)).toBe(0);
        request.setValue(4, 1);
        for (const level of [1, 0, 1] as const) {
          setPad(4, level);
          expect(request.getValue(4)).toBe(level);
        }
        request.setValue(4, 0);
        expect(readPad(4)).toBe(0);
      });
    } else {
      it('open-drain is refused, and the pad not driven', () => {
        const it = backend();
        it.setPad(4, 1);
        refuses(it, [{ offset: 4, direction: 'out', drive: 'open-drain' }]);
        expect(it.readPad(4)).toBe(1);
      });
    }

    if (can.openSource) {
      it('open-source pulls high for 1 and lets the pad be driven for 0', () => {
        const { chip, readPad, setPad } = backend();
        const request = chip.requestLines({
          lines: [{ offset: 4, direction: 'out', drive: 'open-source', initial: 1 }],
          consumer: 'contract',
        });
        expect(readPad(4)).toBe(1);
        request.setValue(4, 0);
        for (const level of [0, 1, 0] as const) {
          setPad(4, level);
          expect(request.getValue(4)).toBe(level);
        }
        request.setValue(4, 1);
        expect(readPad(4)).toBe(1);
      });
    } else {
      it('open-source is refused, and the pad not driven', () => {
        const it = backend();
        it.setPad(4, 0);
        refuses(it, [{ offset: 4, direction: 'out', drive: 'open-source', initial: 1 }]);
        expect(it.readPad(4)).toBe(0);
      });
    }
  });
}
