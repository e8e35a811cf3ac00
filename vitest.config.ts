import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: [
      '{kernel,drivers,sim-fallback,daemon,systemd,labs}/**/*.spec.ts',
      'test/{contract,e2e,conformance}/**/*.spec.ts',
      'docs/tools/**/*.spec.ts',
    ],
    coverage: {
      provider: 'v8',
      include: ['{kernel,drivers,sim-fallback,daemon,systemd}/**/*.ts'],
      exclude: ['**/*.spec.ts'],
      reporter: ['text-summary', 'lcov'],
    },
  },
});
