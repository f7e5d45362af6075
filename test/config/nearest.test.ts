import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { didYouMean, nearest } from '../../src/config/nearest.ts';

const keys = ['connection', 'queues', 'quantity', 'maxAttempts', 'backoff', 'timeout', 'shutdownTimeout'];

describe('nearest', () => {
  it.each([
    ['queue', 'queues'],
    ['quantitty', 'quantity'],
    ['maxatempts', 'maxAttempts'],
    ['MAXATTEMPTS', 'maxAttempts'],
    ['tiemout', 'timeout'],
    ['attempts', 'maxAttempts'],
    ['backof', 'backoff'],
  ])('finds what %s means', (word, meant) => {
    expect(nearest(word, keys)).toBe(meant);
  });

  it.each([['retries'], ['x'], [''], ['concurrency'], ['to'], ['z'.repeat(1_000_000)]])('finds nothing near %#', (word) => {
    expect(nearest(word, keys)).toBe(undefined);
  });

  it('takes the nearest of several, and the first of equals', () => {
    expect(nearest('timeouts', ['timeout', 'timeouts2', 'timeoutss'])).toBe('timeout');
    expect(nearest('ba', ['bar', 'baz'])).toBe('bar');
  });

  it('finds every candidate by its own name, in whatever case', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{1,20}$/), { minLength: 1 }), (candidates) => {
        for (const candidate of candidates) expect(nearest(candidate.toUpperCase(), candidates)).toBe(candidate);
      }),
    );
  });

  it('counts two swapped neighbours as one mistake', () => {
    expect(nearest('jbo', ['job'])).toBe('job');
    expect(nearest('jxy', ['job'])).toBe(undefined);
  });

  it('is written out as a question, or not at all', () => {
    expect(didYouMean('queue', keys)).toBe(' (did you mean "queues"?)');
    expect(didYouMean('retries', keys)).toBe('');
  });
});
