import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { casesOf, notExpressed, runCase, unusedRecordings } from './harness.js';

const SCENARIOS = fileURLToPath(new URL('./scenarios', import.meta.url));

describe('the model does what Linux 6.12 was recorded to do', () => {
  const cases = casesOf(SCENARIOS);

  it.each(cases)('$name', async (one) => {
    const result = await runCase(one);
    expect(result.outcome === 'parts' ? result.diff : '').toBe('');
    expect(result.compared).toBeGreaterThan(0);
  });

  it('uses every recording that lies here', () => {
    expect(unusedRecordings(SCENARIOS)).toEqual([]);
  });

  it('says of nothing that it is both equal and not expressed', () => {
    const omitted = Object.keys(notExpressed(SCENARIOS));
    expect(cases.filter(({ name }) => omitted.includes(name))).toEqual([]);
  });
});
