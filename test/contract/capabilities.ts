// Contract of capabilities: what a driver says it cannot do is refused with ENOTSUP, what it says it can is not.
import { describe, expect, it } from 'vitest';
import type { GpioCapabilities, GpioChip, LineConfig, LineRequestOptions } from '../../kernel/gpio/driver.js';
import { type Backend, failsWith } from './backend.js';

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
export function capabilityContract(backend: Backend): void {
  describe('capabilities', () => {
    for (const [name, wish] of Object.entries(WISHES)) {
      it(`${name}: granted when it is true, ENOTSUP when it is false`, () => {
        const { chip } = backend();
        if (chip.capabilities[name as keyof GpioCapabilities]) {
          wish(chip);
        } else {
          const error = failsWith('ENOTSUP', () => wish(chip));
          expect(error.message).toContain(chip.driver);
        }
        expect(chip.lineInfo(3).used).toBe(false);
      });
    }

    it('eventClock userspace is only for drivers without kernel stamps', () => {
      const { chip } = backend();
      const wish = asks({ offset: 3, direction: 'in', edge: 'both' }, { eventClock: 'userspace' });
      if (chip.capabilities.kernelTimestamps) failsWith('ENOTSUP', () => wish(chip));
      else wish(chip);
    });
  });
}
