import fc from 'fast-check';
import { expect, it } from 'vitest';
import { mergePatch } from '../../src/failure/merge-patch.ts';
import type { JsonObject } from '../../src/job/json.ts';

// Appendix A of RFC 7396, as far as target and patch are objects.
it.each<readonly [JsonObject, JsonObject, JsonObject]>([
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
])('%j patched with %j is %j', (target, patch, expected) => {
  expect(mergePatch(target, patch)).toEqual(expected);
});

const json = fc.letrec<{ value: unknown; object: unknown }>((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, fc.string(), fc.integer(), fc.boolean(), fc.array(fc.integer()), tie('object')),
  object: fc.dictionary(fc.oneof(fc.constantFrom('__proto__', 'constructor', 'a', 'b'), fc.string()), tie('value'), { maxKeys: 4 }),
}));

it('patched with itself, or with nothing, an object stays what it is, and its arguments are left alone', () => {
  fc.assert(
    fc.property(json.object, json.object, (target, patch) => {
      const [one, other] = [target as JsonObject, patch as JsonObject];
      const before = JSON.stringify([one, other]);
      expect(mergePatch(one, {})).toEqual(one);
      expect(mergePatch(one, one)).toEqual(one);
      expect(JSON.stringify(mergePatch(mergePatch(one, other), other))).toEqual(JSON.stringify(mergePatch(one, other)));
      expect(JSON.stringify([one, other])).toBe(before);
    }),
  );
});

it('takes a key called __proto__ for a key like any other', () => {
  const patched = mergePatch(JSON.parse('{"a":1}') as JsonObject, JSON.parse('{"__proto__":{"polluted":true}}') as JsonObject);
  expect(JSON.stringify(patched)).toBe('{"a":1,"__proto__":{"polluted":true}}');
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});
