// Vitest for what goes wrong in the long run, or all at once: `npm run test:reliability` (run.sh).

import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: new URL('../..', import.meta.url).pathname,
  test: {
    include: ['test/reliability/*.spec.ts'],
    // Daemons are killed, flooded and measured: one file at a time.
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
  },
});
