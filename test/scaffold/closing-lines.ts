import type { SerializedError } from 'vitest';
import type { Reporter, TestModule } from 'vitest/node';

/** The reason at the end of a test's name, which is where one that is skipped for want of something says it. */
const REASON_IN_NAME = /\(skipped: (?<reason>.+)\)$/u;

/** The end of a long output is what is kept and read: of an error, one line is enough to know which it is. */
const MAX_ERROR_LENGTH = 300;

function firstLine(error: { readonly message: string } | undefined): string {
  return (error?.message ?? 'no error was given').split('\n', 1)[0]?.slice(0, MAX_ERROR_LENGTH) ?? '';
}

/**
 * Ends a run with what it left out and why, then with each failure in a line, then with one plain line of counts.
 * A file that could not be loaded, and an error outside of any test, count as failed.
 */
export default class ClosingLines implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const counts = { passed: 0, failed: errors.length, skipped: 0 };
    const failures = errors.map((error) => `outside of any test: ${firstLine(error)}`);
    const skips = new Map<string, number>();
    for (const module of modules) {
      const before = counts.failed;
      for (const test of module.children.allTests()) {
        const result = test.result();
        counts[result.state === 'pending' ? 'failed' : result.state] += 1;
        if (result.state === 'passed') continue;
        if (result.state === 'skipped') {
          const reason = result.note ?? REASON_IN_NAME.exec(test.fullName)?.groups?.['reason'] ?? test.fullName;
          const why = `${reason} (${module.relativeModuleId})`;
          skips.set(why, (skips.get(why) ?? 0) + 1);
          continue;
        }
        const error = result.state === 'failed' ? firstLine(result.errors[0]) : 'did not end';
        failures.push(`${module.relativeModuleId} > ${test.fullName}: ${error}`);
      }
      if (module.state() === 'failed' && counts.failed === before) {
        counts.failed += 1;
        failures.push(`${module.relativeModuleId}: ${firstLine(module.errors()[0])}`);
      }
    }
    for (const [why, count] of skips) console.log(`skipped ${count}: ${why}`);
    for (const failure of failures) console.log(`failed: ${failure}`);
    console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  }
}
