// Vitest for what needs a real Mosquitto (Debian's package `mosquitto`): `npm run test:mqtt`.

import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: new URL('../..', import.meta.url).pathname,
  test: {
    include: ['test/mqtt/*.mosquitto.ts'],
    // Brokers are killed and daemons started: one file at a time, on a machine that may be busy.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
