// Contract of requests: what is refused and why, who is in the way, reconfiguration, and letting go.
import { describe, expect, it } from 'vitest';
import type { LineConfig } from '../../kernel/gpio/driver.js';
import { type Backend, type Can, drive, failsWith, Recorder, refuses } from './backend.js';

const input = (offset: number): LineConfig => ({ offset, direction: 'in' });
const output = (offset: number): LineConfig => ({ offset, direction: 'out' });

/** Tests of `requestLines`, `reconfigure` and `release`. */
export function requestContract(backend: Backend, can: Can): void {
  describe('requesting lines', () => {
    const refused: [string, LineConfig[]][] = [
      ['no line at all', []],
      ['more than 64 lines', Array.from({ length: 65 }, (_, offset) => input(offset))],
      ['the same line twice', [input(3), input(3)]],
      ['a line below the chip', [input(-1)]],
      ['a line above the chip', [input(1_000_000)]],
      ['half a line', [input(2.5)]],
      ['edges of an output', [{ ...output(3), edge: 'rising' }]],
      ['a drive of an input', [{ ...input(3), drive: 'open-drain' }]],
      ['a debounce of an output', [{ ...output(3), debounceUs: 10 }]],
      ['a negative debounce', [{ ...input(3), debounceUs: -1 }]],
      ['a fraction of a microsecond', [{ ...input(3), debounceUs: 0.5 }]],
    ];
    for (const [what, lines] of refused) {
      it(`refuses ${what} with EINVAL`, () => {
        failsWith('EINVAL', () => backend().chip.requestLines({ lines, consumer: 'contract' }));
      });
    }

    if (can.eventBufferSize) {
      it('refuses FIFO sizes outside 1 to 1024 with EINVAL', () => {
        const { chip } = backend();
        for (const eventBufferSize of [0, -1, 1.5, 1025]) {
          failsWith('EINVAL', () => chip.requestLines({ lines: [input(3)], consumer: 'contract', eventBufferSize }));
        }
      });

      it('gives at least the FIFO that was asked for', () => {
        const { chip } = backend();
        const request = chip.requestLines({ lines: [input(3)], consumer: 'contract', eventBufferSize: 100 });
        expect(request.eventBufferSize).toBeGreaterThanOrEqual(100);
      });
    } else {
      it('refuses any FIFO size, and says which it has', () => {
        const it = backend();
        for (const eventBufferSize of [1, 16, 1024]) refuses(it, [input(3)], { eventBufferSize });
        const request = it.chip.requestLines({ lines: [input(3)], consumer: 'contract' });
        expect(request.eventBufferSize).toBe(can.edgeQueue === 'merge' ? 1 : 16);
      });
    }

    it('keeps the offsets in the order in which they were asked for', () => {
      const request = backend().chip.requestLines({ lines: [input(9), input(2), input(5)], consumer: 'contract' });
      expect(request.offsets).toEqual([9, 2, 5]);
    });

    it('holds no line after an error', () => {
      const { chip } = backend();
      failsWith('EINVAL', () => chip.requestLines({ lines: [input(3), input(1_000_000)], consumer: 'contract' }));
      expect(chip.lineInfo(3).used).toBe(false);
    });

    it('answers EBUSY for a line that another opener holds, and holds none of the lines', () => {
      const { chip, otherChip } = backend();
      const holder = otherChip().requestLines({ lines: [input(17)], consumer: 'somebody' });
      failsWith('EBUSY', () => chip.requestLines({ lines: [input(3), input(17)], consumer: 'contract' }));
      expect(chip.lineInfo(3).used).toBe(false);
      expect(holder.getValue(17)).toBe(0);
    });

    if (can.lineHolders) {
      it('names line and holder in the hint of EBUSY', () => {
        const { chip, otherChip } = backend();
        otherChip().requestLines({ lines: [input(17)], consumer: 'w1-gpio' });
        const { hint } = failsWith('EBUSY', () => chip.requestLines({ lines: [input(17)], consumer: 'contract' }));
        expect(hint).toContain("'w1-gpio'");
        expect(hint).toContain(chip.lineInfo(17).name);
      });
    } else {
      it('says in the hint of EBUSY how to free the line, since it does not know who holds it', () => {
        const { chip, otherChip } = backend();
        otherChip().requestLines({ lines: [input(17)], consumer: 'w1-gpio' });
        const { hint } = failsWith('EBUSY', () => chip.requestLines({ lines: [input(17)], consumer: 'contract' }));
        expect(hint).toMatch(/free it with: echo \d+ > .*unexport/);
        expect(hint).not.toContain('w1-gpio');
      });
    }

    it('answers EBUSY for a line that this opener holds', () => {
      const { chip } = backend();
      chip.requestLines({ lines: [input(17)], consumer: 'first' });
      failsWith('EBUSY', () => chip.requestLines({ lines: [input(17)], consumer: 'second' }));
    });
  });

  releaseContract(backend);
  if (can.reconfigure) reconfigureContract(backend);
  else noReconfigureContract(backend);
}

function releaseContract(backend: Backend): void {
  describe('releasing', () => {
    it('lets the lines go at once, and is idempotent', () => {
      const { chip, otherChip } = backend();
      const request = chip.requestLines({ lines: [input(3), output(4)], consumer: 'contract' });
      request.release();
      request.release();
      const again = otherChip().requestLines({ lines: [input(3), output(4)], consumer: 'other' });
      expect(again.offsets).toEqual([3, 4]);
    });

    it('answers EBADF to every call afterwards', () => {
      const request = backend().chip.requestLines({ lines: [input(3), output(4)], consumer: 'contract' });
      request.release();
      failsWith('EBADF', () => request.getValue(3));
      failsWith('EBADF', () => request.getValues());
      failsWith('EBADF', () => request.setValue(4, 1));
      failsWith('EBADF', () => request.setValues(new Map([[4, 1]])));
      failsWith('EBADF', () => request.reconfigure([input(3), output(4)]));
      failsWith('EBADF', () => request.onEdges(() => {}));
      failsWith('EBADF', () => request.onGone(() => {}));
    });
  });
}

function reconfigureContract(backend: Backend): void {
  describe('reconfiguring', () => {
    it('changes the edges of a line that stays held', async () => {
      const it = backend();
      it.setPad(3, 0);
      const request = it.chip.requestLines({ lines: [{ ...input(3), edge: 'rising' }], consumer: 'contract' });
      const recorder = new Recorder(request);
      await drive(it, 3, [1, 0]);
      request.reconfigure([{ ...input(3), edge: 'falling' }]);
      expect(it.chip.lineInfo(3)).toMatchObject({ used: true, consumer: 'contract', edge: 'falling' });
      await drive(it, 3, [1, 0]);
      await recorder.take(it, 2);
      expect(recorder.word).toBe('RF');
    });

    it('turns an input into an output at its initial level, and back', () => {
      const { chip, readPad, setPad } = backend();
      setPad(4, 0);
      const request = chip.requestLines({ lines: [input(4)], consumer: 'contract' });
      request.reconfigure([{ ...output(4), initial: 1 }]);
      expect(readPad(4)).toBe(1);
      request.reconfigure([input(4)]);
      expect(chip.lineInfo(4).direction).toBe('in');
      setPad(4, 1);
      setPad(4, 0);
      expect(request.getValue(4)).toBe(0);
    });

    it('keeps the level of an output that stays one, whatever its initial level was', () => {
      const { chip, readPad } = backend();
      const request = chip.requestLines({ lines: [output(4), input(3)], consumer: 'contract' });
      request.setValue(4, 1);
      request.reconfigure([
        { ...output(4), initial: 0 },
        { ...input(3), edge: 'both' },
      ]);
      expect(readPad(4)).toBe(1);
      expect(request.getValue(4)).toBe(1);
    });

    it('keeps the physical level of an output whose polarity is turned', () => {
      const { chip, readPad } = backend();
      const request = chip.requestLines({ lines: [output(4)], consumer: 'contract' });
      request.setValue(4, 1);
      request.reconfigure([{ ...output(4), activeLow: true }]);
      expect(readPad(4)).toBe(1);
      expect(request.getValue(4)).toBe(0);
    });

    it('takes the lines in any order', () => {
      const { chip, readPad } = backend();
      const request = chip.requestLines({ lines: [input(3), output(4)], consumer: 'contract' });
      request.reconfigure([output(4), { ...input(3), edge: 'rising' }]);
      request.setValue(4, 1);
      expect(readPad(4)).toBe(1);
      expect(chip.lineInfo(3).edge).toBe('rising');
    });

    it('refuses other lines than its own with EINVAL', () => {
      const { chip } = backend();
      const request = chip.requestLines({ lines: [input(3), output(4)], consumer: 'contract' });
      failsWith('EINVAL', () => request.reconfigure([input(3)]));
      failsWith('EINVAL', () => request.reconfigure([input(3), input(5)]));
      failsWith('EINVAL', () => request.reconfigure([input(3), output(4), input(5)]));
    });
  });
}

function noReconfigureContract(backend: Backend): void {
  describe('reconfiguring', () => {
    it('is refused with ENOTSUP, whatever is asked for', () => {
      const { chip } = backend();
      const request = chip.requestLines({ lines: [input(3), output(4)], consumer: 'contract' });
      for (const lines of [[input(3), output(4)], [output(3), input(4)], [input(5)], []]) {
        expect(failsWith('ENOTSUP', () => request.reconfigure(lines)).message).toContain(chip.driver);
      }
    });

    it('that was refused leaves levels and edges as they were', async () => {
      const it = backend();
      it.setPad(3, 0);
      const lines = [{ ...input(3), edge: 'rising' } as const, { ...output(4), initial: 1 } as const];
      const request = it.chip.requestLines({ lines, consumer: 'contract' });
      const recorder = new Recorder(request);
      failsWith('ENOTSUP', () => request.reconfigure([{ ...input(3), edge: 'falling' }, input(4)]));
      await drive(it, 3, [1, 0]);
      await recorder.take(it, 1);
      expect(recorder.word).toBe('R');
      expect(it.readPad(4)).toBe(1);
      expect(it.chip.lineInfo(3)).toMatchObject({ used: true, edge: 'rising' });
    });

    it('is done by releasing the lines and requesting them again', async () => {
      const it = backend();
      it.setPad(3, 0);
      it.chip.requestLines({ lines: [{ ...input(3), edge: 'rising' }], consumer: 'contract' }).release();
      const recorder = new Recorder(
        it.chip.requestLines({ lines: [{ ...input(3), edge: 'falling' }], consumer: 'contract' }),
      );
      await drive(it, 3, [1, 0]);
      await recorder.take(it, 1);
      expect(recorder.word).toBe('F');
    });
  });
}
