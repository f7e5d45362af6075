import type { SerializedError } from 'vitest';
import type { Reporter, TestModule } from 'vitest/node';

/**
 * Ends a run with what it left out and why, then with one plain line of counts.
 * A file that could not be loaded, and an error outside of any test, count as failed.
 */
export default class ClosingLines implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const counts = { passed: 0, failed: errors.length, skipped: 0 };
    const skips = new Map<string, number>();
    for (const module of modules) {
      const before = counts.failed;
      for (const test of module.children.allTests()) {
        const result = test.result();
        counts[result.state === 'pending' ? 'failed' : result.state] += 1;
        if (result.state !== 'skipped') continue;
        const why = `${result.note ?? test.fullName} (${module.relativeModuleId})`;
        skips.set(why, (skips.get(why) ?? 0) + 1);
      }
      if (module.state() === 'failed' && counts.failed === before) counts.failed += 1;
    }
    for (const [why, count] of skips) console.log(`skipped ${count}: ${why}`);
    console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  }
}
