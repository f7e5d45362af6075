/** What the test that started this process gave it. The process ends with the one that started it. */
export function givenToChild<T>(): T {
  process.once('disconnect', () => process.exit());
  return JSON.parse(process.argv[2] ?? 'null') as T;
}

/** Says something to the test that started this process. */
export function tell(message: object): void {
  process.send?.(message);
}
