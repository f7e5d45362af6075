/** How much a run of the tests does: `small` is `npm test`, `ci` is `npm run test:ci`, `full` is `npm run test:nightly`. */
export type Size = 'small' | 'ci' | 'full';

function sizeOfRun(): Size {
  const named = process.env['REDRIVE_TEST_SIZE'] ?? 'small';
  if (named === 'small' || named === 'ci' || named === 'full') return named;
  throw new Error(`REDRIVE_TEST_SIZE is small, ci or full, not ${named}`);
}

export const size: Size = sizeOfRun();

/** What a test has of the thing it repeats, in this size of run. */
export function bySize<Value>(small: Value, ci: Value, full: Value): Value {
  return { small, ci, full }[size];
}

/** For a test that takes too long for a small run. */
export function skipIfSmall(skip: (condition: boolean, note: string) => void): void {
  skip(size === 'small', 'what takes too long for every day: npm run test:ci');
}
