// Contract of capabilities: what a driver says it cannot do is refused with ENOTSUP, what it says it can is not.
import { describe, expect, it } from 'vitest';
import type { GpioCapabilities, GpioChip, LineConfig, LineRequestOptions } from '../../kernel/gpio/driver.js';
import { type Backend, type Can, failsWith } from './backend.js';

function asks(line: LineConfig, options: Partial<LineRequestOptions> = {}): (chip: GpioChip) => void {
  return (chip) => chip.requestLines({ lines: [line], consumer: 'contract', ...options }).release();
}

/** What asks for a capability; `atomicSetMany` and `seqno` are no wishes of the caller. */
const WISHES: Readonly<Partial<Record<keyof GpioCapabilities, (chip: GpioChip) => void>>> = {
  bias: asks({ offset: 3, direction: 'in', bias: 'pull-up' }),
  debounce: asks({ offset: 3, direction: 'in', edge: 'both', debounceUs: 1000 }),
  activeLow: asks({ offset: 3, direction: 'in', activeLow: true }),
  openDrain: asks({ offset: 3, direction: 'out', drive: 'open-drain' }),
  openSource: asks({ offset: 3, direction: 'out', drive: 'open-source' }),
  kernelTimestamps: asks({ offset: 3, direction: 'in', edge: 'both' }, { eventClock: 'monotonic' }),
  realtimeClock: asks({ offset: 3, direction: 'in', edge: 'both' }, { eventClock: 'realtime' }),
  eventBufferSize: asks({ offset: 3, direction: 'in', edge: 'both' }, { eventBufferSize: 64 }),
  keepLevel: asks({ offset: 3, direction: 'out', initial: 'keep' }),
  lineInfoWatch: (chip) => chip.watchLineInfo(3, () => {})(),
  reconfigure: (chip) => {
    const request = chip.requestLines({ lines: [{ offset: 3, direction: 'in' }], consumer: 'contract' });
    try {
      request.reconfigure([{ offset: 3, direction: 'out' }]);
    } finally {
      request.release();
    }
  },
};

/** Tests that `capabilities` tells the truth. */
export function capabilityContract(backend: Backend, can: Can): void {
  describe('capabilities', () => {
    it('are those that this suite was told', () => {
      expect(backend().chip.capabilities).toEqual(can);
    });

    for (const [name, wish] of Object.entries(WISHES)) {
      const granted = can[name as keyof GpioCapabilities];
      it(`${name} is ${granted ? 'granted' : 'refused with ENOTSUP, by the name of the driver'}`, () => {
        const { chip } = backend();
        if (granted) wish(chip);
        else expect(failsWith('ENOTSUP', () => wish(chip)).message).toContain(chip.driver);
        expect(chip.lineInfo(3).used).toBe(false);
      });
    }

    it(`eventClock userspace is ${can.kernelTimestamps ? 'refused: the kernel stamps' : 'granted'}`, () => {
      const { chip } = backend();
      const wish = asks({ offset: 3, direction: 'in', edge: 'both' }, { eventClock: 'userspace' });
      if (can.kernelTimestamps) failsWith('ENOTSUP', () => wish(chip));
      else wish(chip);
    });
  });
}
