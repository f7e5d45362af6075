import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../src/job/json.ts';
import { caps } from '../../src/record/caps.ts';
import { snapshotException } from '../../src/record/exception-snapshot.ts';
import type { ExceptionSnapshot } from '../../src/record/types.ts';
import { hostileValues } from '../../src/testing/hostile/hostile-values.ts';
import { cpuTime } from '../support/cpu-time.ts';

/** Takes a snapshot and checks what holds for every one. */
function setup(thrown: unknown): { readonly snapshot: ExceptionSnapshot; readonly json: string } {
  const snapshot = snapshotException(thrown);
  const json = JSON.stringify(snapshot);
  expect(JSON.parse(json)).toStrictEqual(snapshot);
  expect(Buffer.byteLength(json)).toBeLessThanOrEqual(caps.exceptionBytes);
  for (const text of textsOf(snapshot as unknown as Json)) {
    expect(text.includes('\0')).toBe(false);
    expect(/\p{Surrogate}/u.test(text)).toBe(false);
  }
  const depth = checkCaps(snapshot);
  expect(depth).toBeLessThanOrEqual(caps.causes);
  return { snapshot, json };
}

function checkCaps({ type, message, stack, fields = {}, cause, errors = [] }: ExceptionSnapshot): number {
  expect(Buffer.byteLength(type)).toBeLessThanOrEqual(255);
  expect(Buffer.byteLength(message)).toBeLessThanOrEqual(caps.messageBytes);
  expect(Buffer.byteLength(stack)).toBeLessThanOrEqual(caps.stackBytes);
  for (const field of Object.values(fields)) expect(Buffer.byteLength(JSON.stringify(field))).toBeLessThanOrEqual(caps.fieldBytes);
  expect(errors.length).toBeLessThanOrEqual(caps.errors);
  const below = cause === undefined ? errors : [cause, ...errors];
  return below.length === 0 ? 0 : 1 + Math.max(...below.map(checkCaps));
}

function* textsOf(json: Json): Iterable<string> {
  if (typeof json === 'string') yield json;
  if (typeof json !== 'object' || json === null) return;
  for (const [key, value] of Object.entries(json as JsonObject)) {
    yield key;
    yield* textsOf(value);
  }
}

describe('F15 anything can be thrown', () => {
  it.each(hostileValues.map((value) => [value.name, value] as const))('F15 records %s with the most it can say', (_, hostile) => {
    const { snapshot, json } = setup(hostile.make());
    if (hostile.expect !== undefined) expect(snapshot).toMatchObject(hostile.expect);
    // Not by toContain, which would print megabytes.
    for (const text of hostile.says ?? []) expect(json.includes(text), text).toBe(true);
    // The mark of the last resort: something was not guarded by itself.
    expect(snapshot.message).not.toMatch(/^\[Unreadable: (?!boom|Cannot perform)/);
  });

  it('F15 is quick with each of them', () => {
    for (const { name, make } of hostileValues) {
      const thrown = make();
      expect(
        cpuTime(() => snapshotException(thrown)),
        name,
      ).toBeLessThan(3_000);
    }
  });

  it('F15 holds for anything that is thrown', () => {
    fc.assert(
      fc.property(anything(), (thrown) => void setup(thrown)),
      { numRuns: 500 },
    );
  });

  it('F15 holds for an Error with any message, name, stack, code, cause, errors and fields', () => {
    const part = fc.oneof(
      anything(),
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('\0', '\uD800', '"', '\u0001', '€', 'a') }),
    );
    const fields = fc.record(
      { message: part, name: part, stack: part, code: part, cause: part, errors: part, detail: part, x: part },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fields, fc.dictionary(fc.string({ unit: 'binary' }), part), (known, others) => {
        const error = new Error('x');
        // Formatted now: V8 fails to when a message that is no text is in it.
        expect(error.stack).toContain('x');
        for (const [key, value] of Object.entries({ ...others, ...known })) {
          Object.defineProperty(error, key, { value, enumerable: true, configurable: true, writable: true });
        }
        setup(error);
      }),
      { numRuns: 500 },
    );
  });

  it('F15 says the same of the same value again', () => {
    fc.assert(
      fc.property(anything(), (thrown) => {
        expect(snapshotException(thrown)).toStrictEqual(snapshotException(thrown));
      }),
    );
  });

  it('F15 keeps within its caps whatever the sizes', () => {
    const size = fc.integer({ min: 0, max: 300_000 });
    const unit = fc.constantFrom('a', '"', '\u0001', '€', '😀', '\0', '\uDC00');
    fc.assert(
      fc.property(size, size, size, unit, (message, stack, field, character) => {
        const cause = Object.assign(new Error(character.repeat(message)), { stack: character.repeat(stack) });
        const thrown = Object.assign(new Error(character.repeat(message), { cause }), {
          stack: character.repeat(stack),
          field: character.repeat(field),
          fields: Array.from({ length: 20 }, () => character.repeat(field)),
        });
        const { snapshot } = setup(thrown);
        expect(snapshot.message === '').toBe(message === 0);
        expect(snapshot.stack === '').toBe(stack === 0);
      }),
      { numRuns: 60 },
    );
  });
});

describe('what is cut', () => {
  it('F15 marks the exception that was cut, and the thrown one', () => {
    const { snapshot } = setup(new Error('outer', { cause: new Error('middle', { cause: new Error('x'.repeat(100_000)) }) }));
    expect(snapshot.truncated).toBe(true);
    expect(snapshot.cause).not.toHaveProperty('truncated');
    expect(snapshot.cause?.cause?.truncated).toBe(true);
  });

  it('F15 says nothing of cutting where nothing was cut', () => {
    const { snapshot } = setup(Object.assign(new Error('x', { cause: new Error('y') }), { field: 'z'.repeat(60_000) }));
    expect(snapshot).not.toHaveProperty('truncated');
  });

  it('F15 keeps all frames of an Error whose message is too long', () => {
    const thrown = new Error('x'.repeat(300_000));
    const frames = thrown.stack?.split('\n').slice(1);
    const { snapshot } = setup(thrown);
    expect(snapshot.stack.split('\n').slice(1)).toStrictEqual(frames);
    expect(snapshot.stack.startsWith(`Error: ${snapshot.message}\n`)).toBe(true);
  });

  it('keeps 50 causes and drops the rest', () => {
    let thrown = new Error('0');
    for (let index = 1; index <= 60; index += 1) thrown = Object.assign(new Error(String(index)), { cause: thrown });
    let { snapshot: node } = setup(thrown);
    let causes = 0;
    for (; node.cause !== undefined; node = node.cause) causes += 1;
    expect(causes).toBe(caps.causes);
    expect(node).toMatchObject({ message: '10', truncated: true });
    expect(node).not.toHaveProperty('fields');
  });

  it('gives up the fields of the deepest causes first, and keeps the root whole', () => {
    let thrown: Error | undefined;
    for (let index = 0; index < 30; index += 1) {
      thrown = Object.assign(new Error(`no. ${index}`, { cause: thrown }), { stack: 's'.repeat(30_000), body: 'b'.repeat(60_000) });
    }
    const { snapshot } = setup(thrown);
    expect(snapshot.stack).toHaveLength(30_000);
    expect(snapshot.fields).toStrictEqual({ body: 'b'.repeat(60_000) });
    let deepest = snapshot;
    while (deepest.cause !== undefined) deepest = deepest.cause;
    expect(deepest).not.toHaveProperty('fields');
    expect(snapshot.truncated).toBe(true);
  });
});

describe('what is taken from an Error', () => {
  it('leaves out of the fields what is told elsewhere', () => {
    const thrown = Object.assign(new Error('x'), { name: 'Late', code: 7, status: 500 });
    expect(setup(thrown).snapshot).toMatchObject({ type: 'Late', code: 7, fields: { status: 500 } });
    expect(Object.keys(setup(thrown).snapshot.fields ?? {})).toStrictEqual(['status']);
    expect(setup(new Error('x', { cause: new Error('y') })).snapshot).not.toHaveProperty('fields');
  });

  it('names a field whose errors are told in full', () => {
    const original = Object.assign(new Error('inner'), { stack: 'Error: inner', code: 5 });
    const { snapshot } = setup(Object.assign(new Error('outer'), { original }));
    expect(snapshot.fields).toStrictEqual({ original: { name: 'Error', message: 'inner', stack: 'Error: inner', code: 5 } });
  });

  it('keeps the same Error in two places, which is no circle', () => {
    const twice = new Error('twice');
    const { snapshot } = setup(new AggregateError([twice, twice], 'x', { cause: twice }));
    expect([snapshot.cause?.message, ...(snapshot.errors ?? []).map((error) => error.message)]).toStrictEqual(['twice', 'twice', 'twice']);
  });

  it('answers from a call stack that is all but full', () => {
    const dive = (): ExceptionSnapshot[] => {
      try {
        return dive();
      } catch (thrown) {
        return [snapshotException(thrown)];
      }
    };
    expect(dive()[0]?.type).toMatch(/RangeError|object/);
  });
});

function anything(): fc.Arbitrary<unknown> {
  return fc.anything({
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withObjectString: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
    stringUnit: 'binary',
  });
}
