import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: 'test/e2e/shared-package.ts',
    // By default one is left free, which on a small machine is every second.
    maxWorkers: '100%',
    // Of a machine that is busy with other things too: no test is about how fast it is.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // What is waited for comes at once on an idle machine; one that stands still for some seconds has done nothing wrong.
    expect: { poll: { timeout: 30_000 } },
    include: [
      '{kernel,drivers,sim-fallback,daemon,systemd,testing,labs}/**/*.spec.ts',
      'test/{contract,e2e,conformance}/**/*.spec.ts',
      'docs/tools/**/*.spec.ts',
    ],
    coverage: {
      provider: 'v8',
      include: ['{kernel,drivers,sim-fallback,daemon,systemd,testing}/**/*.ts'],
      exclude: ['**/*.spec.ts'],
      reporter: ['text-summary', 'lcov'],
    },
  },
});
