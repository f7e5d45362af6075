/**
 * Remembers where `called` was called from. The returned function gives an error that stack: one that is made later,
 * in a timer or after an await, would show the inside of this kit and not the line of the test.
 */
export function callSite(called: (...given: never[]) => unknown): <E extends Error>(error: E) => E {
  const site = { stack: '' };
  Error.captureStackTrace(site, called);
  return (error) => {
    const frames = site.stack.split('\n').filter((line) => /^\s+at /.test(line));
    error.stack = [`${error.name}: ${error.message}`, ...frames].join('\n');
    return error;
  };
}
