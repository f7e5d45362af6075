import { describe, expect, it } from 'vitest';
import { parseJobLine } from '../../src/cli/job-line.ts';

describe('a line of a file of jobs', () => {
  it('is a job with properties and options', () => {
    const line =
      '{"name":"ping","properties":{"url":"x"},"options":{"delay":"5m","priority":-1,"maxAttempts":0,"backoff":["1s",10],"timeout":20,"queue":"high","connection":"c"}}';
    expect(parseJobLine(line, {})).toEqual({
      name: 'ping',
      properties: { url: 'x' },
      options: { delay: '5m', priority: -1, maxAttempts: 0, backoff: ['1s', 10], timeout: 20, queue: 'high', connection: 'c' },
    });
  });

  it('needs no more than a name, and takes from the flags what it leaves open', () => {
    expect(parseJobLine('{"name":"ping","options":{"queue":"high"}}', { queue: 'low', delay: 5 })).toEqual({
      name: 'ping',
      properties: {},
      options: { queue: 'high', delay: 5 },
    });
  });

  it.each([
    ['nonsense', 'PROPERTIES_INVALID', 'not JSON'],
    ['[]', 'PROPERTIES_INVALID', 'a JSON object is wanted'],
    ['{}', 'OPTIONS_INVALID', 'no "name"'],
    ['{"name":" "}', 'OPTIONS_INVALID', 'no "name"'],
    ['{"name":7}', 'OPTIONS_INVALID', 'no "name"'],
    ['{"name":"a","properties":[]}', 'PROPERTIES_INVALID', '"properties" is no object'],
    ['{"name":"a","properties":null}', 'PROPERTIES_INVALID', '"properties" is no object'],
    ['{"name":"a","propertys":{}}', 'OPTIONS_INVALID', '(did you mean "properties"?)'],
    ['{"name":"a","options":{"quue":"x"}}', 'OPTIONS_INVALID', '(did you mean "queue"?)'],
    ['{"name":"a","options":{"transaction":{}}}', 'OPTIONS_INVALID', 'unknown option "transaction"'],
    ['{"name":"a","options":{"delay":"5 parsecs"}}', 'OPTIONS_INVALID', 'option "delay" has to be a duration'],
    ['{"name":"a","options":{"priority":1.5}}', 'OPTIONS_INVALID', 'option "priority" has to be a whole number'],
    ['{"name":"a","options":{"maxAttempts":-1}}', 'OPTIONS_INVALID', 'option "maxAttempts"'],
    ['{"name":"a","options":{"queue":""}}', 'OPTIONS_INVALID', 'option "queue"'],
  ])('is refused as %s', (line, code, message) => {
    expect(() => parseJobLine(line, {})).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
  });
});
