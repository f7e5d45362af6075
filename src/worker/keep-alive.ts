const longestIntervalMs = 2_147_483_647;

/**
 * Keeps the process alive until the returned function is called. Redrive's timers never do: a process that only
 * dispatches ends by itself, and one that works goes on because its pools hold it.
 */
export function keepAlive(): () => void {
  const handle = setInterval(() => undefined, longestIntervalMs);
  return () => clearInterval(handle);
}
