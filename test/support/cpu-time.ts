/** How long this process computed for something, in ms: other programs on the machine do not count, as they would by the clock. */
export function cpuTime(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
