// The contract of GpioChip: one suite that every driver and the simulator pass.
import { afterEach, beforeEach, describe } from 'vitest';
import type { Can, ContractBackend } from './backend.js';
import { capabilityContract } from './capabilities.js';
import { edgeContract } from './edges.js';
import { infoContract } from './info.js';
import { requestContract } from './requests.js';
import { valueContract } from './values.js';

export type { ContractBackend } from './backend.js';

/**
 * Declares the contract suite for a driver: for each capability the tests of what it gives, or those of its absence.
 *
 * @param name how the driver is called in the results.
 * @param can what the driver is expected to say of itself.
 * @param makeBackend called before each test; its result is disposed of after the test.
 */
export function describeGpioChip(
  name: string,
  can: Can,
  makeBackend: () => ContractBackend | Promise<ContractBackend>,
): void {
  describe(`GpioChip contract: ${name}`, () => {
    let current: ContractBackend | undefined;
    beforeEach(async () => {
      current = await makeBackend();
    });
    afterEach(async () => {
      await current?.dispose();
      current = undefined;
    });
    const backend = (): ContractBackend => {
      if (current === undefined) throw new Error('a backend exists only inside a test');
      return current;
    };
    infoContract(backend, can);
    requestContract(backend, can);
    valueContract(backend, can);
    edgeContract(backend, can);
    capabilityContract(backend, can);
  });
}
