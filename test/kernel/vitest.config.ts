// Vitest for the test kernel: which specs run on this machine, in the guest, and in the guest under systemd.

import { defineConfig } from 'vitest/config';

// The guest has one CPU: one worker, one file at a time.
// The guest may have to wait for the machine, and hooks start services.
const serial = { pool: 'forks', maxWorkers: 1, fileParallelism: false, hookTimeout: 120_000 } as const;

export default defineConfig({
  root: new URL('../..', import.meta.url).pathname,
  test: {
    projects: [
      // Boots guests, so it stays outside.
      { extends: true, test: { ...serial, name: 'rig', include: ['test/kernel/boot.spec.ts'], testTimeout: 60_000 } },
      {
        extends: true,
        test: { ...serial, name: 'kernel', include: ['{drivers,test}/**/*.kernel.ts'], testTimeout: 30_000 },
      },
      {
        extends: true,
        test: { ...serial, name: 'systemd', include: ['test/kernel/systemd/*.systemd.ts'], testTimeout: 60_000 },
      },
    ],
  },
});
