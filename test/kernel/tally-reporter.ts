// A vitest reporter whose one line says, in words that any CI can count, what the run came to.

import type { Reporter, TestModule } from 'vitest/node';

/** Prints `vitest: N passed, N failed, N skipped` after the last test; a file that cannot be loaded counts as failed. */
export default class TallyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      count.failed += module.errors().length;
      for (const test of module.children.allTests()) count[test.result().state] += 1;
    }
    // A test that never ended did not pass.
    const failed = count.failed + count.pending;
    process.stdout.write(`vitest: ${count.passed} passed, ${failed} failed, ${count.skipped} skipped\n`);
  }
}
