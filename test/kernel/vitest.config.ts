// Vitest for the test kernel: which specs run on this machine, in the guest, and in the guest under systemd.

import { defineConfig } from 'vitest/config';

// The guest has one CPU: one worker, one file at a time.
// The guest may have to wait for the machine, for seconds at a time, and tests and hooks start services.
const serial = {
  ...({ pool: 'forks', maxWorkers: 1, fileParallelism: false } as const),
  ...{ hookTimeout: 300_000, testTimeout: 240_000, expect: { poll: { timeout: 60_000 } } },
};

export default defineConfig({
  root: new URL('../..', import.meta.url).pathname,
  test: {
    projects: [
      // Boots guests, so it stays outside.
      { extends: true, test: { ...serial, name: 'rig', include: ['test/kernel/boot.spec.ts'] } },
      {
        extends: true,
        test: { ...serial, name: 'kernel', include: ['{drivers,test}/**/*.kernel.ts'] },
      },
      {
        extends: true,
        test: { ...serial, name: 'systemd', include: ['test/kernel/systemd/*.systemd.ts'] },
      },
    ],
  },
});
