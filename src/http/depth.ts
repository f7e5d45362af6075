/** True where objects and arrays stand more than `most` deep in each other. Walks without recursion: a body may be nested as deep as it is long. */
export function isDeeperThan(value: unknown, most: number): boolean {
  let level: readonly object[] = inside([value]);
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > most) return true;
    level = level.flatMap((one) => inside(Object.values(one)));
  }
  return false;
}

function inside(values: readonly unknown[]): readonly object[] {
  return values.filter((one): one is object => typeof one === 'object' && one !== null);
}
