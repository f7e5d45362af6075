import { EventEmitter } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../src/job/json.ts';
import { JsonBudget } from '../../src/record/json-budget.ts';
import { plainJson } from '../../src/record/plain-json.ts';

function setup(value: unknown, maxBytes = 65_536): { readonly json: Json; readonly cut: boolean } {
  const budget = new JsonBudget(maxBytes);
  const json = plainJson(value, budget);
  expect(JSON.parse(JSON.stringify(json))).toStrictEqual(json);
  expect(Buffer.byteLength(JSON.stringify(json))).toBeLessThanOrEqual(maxBytes);
  return { json, cut: budget.cut };
}

describe('plainJson', () => {
  it('gives plain JSON back as it is', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5, stringUnit: 'grapheme' }), (value) => {
        expect(setup(value)).toStrictEqual({ json: JSON.parse(JSON.stringify(value)) as Json, cut: false });
      }),
    );
  });

  it('asks toJSON, and does without where it fails', () => {
    expect(setup({ id: { toJSON: () => '507f1f77' } }).json).toStrictEqual({ id: '507f1f77' });
    expect(setup({ id: { n: 7, toJSON: () => undefined } }).json).toMatchObject({ id: { n: 7 } });
  });

  it('tells an object without fields by its class', () => {
    expect(setup([new (class Gate {})(), {}, Object.create(null)]).json).toStrictEqual(['[Gate]', {}, {}]);
  });

  it('tells of an emitter of events its plain values only', () => {
    expect(setup({ socket: Object.assign(new EventEmitter(), { host: 'db-1', server: new EventEmitter() }) }).json).toStrictEqual({
      socket: expect.objectContaining({ host: 'db-1' }) as Json,
    });
    expect(JSON.stringify(setup(Object.assign(new EventEmitter(), { server: {} })).json)).not.toContain('server');
  });

  it('stops at the ninth level', () => {
    const deep = { a: { a: { a: { a: { a: { a: { a: { a: { a: 1 } } } } } } } } };
    expect(setup(deep)).toStrictEqual({ json: { a: { a: { a: { a: { a: { a: { a: { a: '[Object]' } } } } } } } }, cut: true });
  });

  it('keeps 1,000 entries and says how many more there are', () => {
    const { json, cut } = setup(Array.from({ length: 1_500 }, () => 1));
    expect(json).toHaveLength(1_001);
    expect((json as readonly Json[]).at(-1)).toBe('[500 more]');
    expect(cut).toBe(true);
  });

  it('leaves later fields room beside a long text', () => {
    const { json } = setup({ body: 'b'.repeat(100_000), status: 500 });
    expect(json).toMatchObject({ status: 500 });
  });

  it('keeps to its budget', () => {
    const value = fc.anything({ withBigInt: true, withMap: true, withSet: true, withDate: true, maxKeys: 20, maxDepth: 4 });
    fc.assert(
      fc.property(value, fc.integer({ min: 1_024, max: 4_096 }), (any, maxBytes) => void setup([any, any, any, any, any], maxBytes)),
    );
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('\u0001', 'a', '€'), maxLength: 3_000 }),
        (text) => void setup({ [text]: [text] }, 1_024),
      ),
    );
  });
});
