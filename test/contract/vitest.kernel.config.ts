// Vitest inside the test kernel: the suites that need a real GPIO chip, one at a time.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: new URL('../..', import.meta.url).pathname,
  test: {
    include: ['{drivers,test/contract}/**/*.kernel.ts'],
    pool: 'forks',
    fileParallelism: false,
    maxWorkers: 1,
    testTimeout: 20_000,
  },
});
