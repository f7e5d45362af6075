import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../src/job/json.ts';
import { detailOf, extendedInfoOf } from '../../src/record/exception-summary.ts';
import { snapshotException } from '../../src/record/exception-snapshot.ts';
import { createRedactor, redactionMarker } from '../../src/record/redaction.ts';
import { hostileValues } from '../../src/testing/hostile/hostile-values.ts';

const secret = 'hunter2!xyz';

/** All that is written down of a failure, as one text. */
function setup(rules: readonly (string | RegExp)[], thrown: unknown, properties: JsonObject = {}) {
  const redactor = createRedactor(rules).forJob(properties);
  const snapshot = snapshotException(thrown);
  const exception = redactor.exception(snapshot);
  const detail = detailOf(thrown, exception);
  const info = extendedInfoOf(thrown, exception);
  const record = {
    exception,
    properties: redactor.json(properties, 'properties'),
    detail: detail === null ? null : redactor.text(detail, 'detail'),
    extendedInfo: redactor.json(info, 'extendedInfo'),
    // Taken from the raw snapshot instead, as a caller may.
    rawInfo: redactor.json(extendedInfoOf(thrown, snapshot), 'extendedInfo'),
  };
  return { redactor, record, text: JSON.stringify(record) };
}

const error = (fields: object, message = 'x'): Error => Object.assign(new Error(message), fields);

describe('F18 paths', () => {
  const properties = {
    card: { number: '4111111111111111', brand: 'Visa' },
    users: [
      { name: 'Ann', password: secret },
      { name: 'Bob', password: null },
    ],
    deep: { er: { password: 12345 } },
  };

  it.each<[string, Json]>([
    ['properties.card.number', { ...properties, card: { number: redactionMarker, brand: 'Visa' } }],
    ['card.number', { ...properties, card: { number: redactionMarker, brand: 'Visa' } }],
    ['properties.card', { ...properties, card: redactionMarker }],
    ['properties.card.*', { ...properties, card: { number: redactionMarker, brand: redactionMarker } }],
    ['properties.users.0.password', { ...properties, users: [{ name: 'Ann', password: redactionMarker }, properties.users[1]!] }],
    ['properties.users.*.name', { ...properties, users: properties.users.map((user) => ({ ...user, name: redactionMarker })) }],
    [
      '*.password',
      {
        ...properties,
        users: properties.users.map((user) => ({ ...user, password: redactionMarker })),
        deep: { er: { password: redactionMarker } },
      },
    ],
    ['*.er.password', { ...properties, deep: { er: { password: redactionMarker } } }],
    [
      'properties.*.*.password',
      {
        ...properties,
        users: properties.users.map((user) => ({ ...user, password: redactionMarker })),
        deep: { er: { password: redactionMarker } },
      },
    ],
    ['properties.*.er', { ...properties, deep: { er: redactionMarker } }],
    ['properties', { card: redactionMarker, users: redactionMarker, deep: redactionMarker }],
    ['properties.nothing', properties],
    ['number', properties],
    ['exception.fields.card', properties],
  ])('F18 removes %s', (rule, expected) => {
    expect(createRedactor([rule]).json(properties, 'properties')).toStrictEqual(expected);
  });

  it('F18 holds for a whole record, where properties stand below it', () => {
    expect(createRedactor(['properties.a', '*.password']).json({ properties: { a: 1, b: 2 }, log: [{ password: 'x' }] })).toStrictEqual({
      properties: { a: redactionMarker, b: 2 },
      log: [{ password: redactionMarker }],
    });
  });

  it('F18 finds a path in keys that hold dots', () => {
    expect(createRedactor(['properties.card.number']).json({ 'card.number': 'x', 'card.brand': 'y' }, 'properties')).toStrictEqual({
      'card.number': redactionMarker,
      'card.brand': 'y',
    });
  });

  it('F18 removes fields of the exception, its causes and its errors, and the same from the extended info', () => {
    const thrown = Object.assign(new AggregateError([error({ token: secret })], 'x', { cause: error({ token: secret }) }), {
      token: secret,
    });
    for (const rule of ['exception.fields.token', 'extendedInfo.token', 'token', '*.token']) {
      const { record, text } = setup([rule], thrown);
      expect(text).not.toContain(secret);
      expect(record.exception).toMatchObject({ fields: { token: redactionMarker }, cause: { fields: { token: redactionMarker } } });
    }
    const only = setup(['exception.cause.fields.token'], error({ other: 1 })).redactor.exception(snapshotException(thrown));
    expect(only.cause?.fields).toStrictEqual({ token: redactionMarker });
  });

  it('F18 removes what stands in an extended info', () => {
    for (const rule of ['extendedInfo.token', 'exception.fields.extendedInfo.token', '*.token']) {
      expect(setup([rule], error({ extendedInfo: { token: secret } })).text).not.toContain(secret);
    }
  });

  it.each([
    ['exception.message', { type: 'Error', message: redactionMarker }],
    ['message', { type: 'Error', message: redactionMarker }],
    ['exception.code', { code: redactionMarker }],
    ['stack', { stack: redactionMarker }],
    ['exception', { type: redactionMarker, message: redactionMarker, stack: redactionMarker, fields: { a: redactionMarker } }],
    ['exception.fields', { message: 'the secret hunter2!xyz', fields: { a: redactionMarker } }],
    ['exception.cause', { message: 'the secret hunter2!xyz', cause: { type: redactionMarker, message: redactionMarker } }],
  ])('F18 removes %s', (rule, expected) => {
    const thrown = Object.assign(new Error(`the secret ${secret}`, { cause: new Error('why') }), { code: 'E_CODE', a: 1 });
    expect(setup([rule], thrown).record.exception).toMatchObject(expected);
  });

  it('F18 removes a message from the stack and the detail as well', () => {
    expect(setup(['exception.message'], new Error(secret, { cause: new Error(`why: ${secret}`) })).text).not.toContain(secret);
    expect(setup(['detail'], error({ detail: 'told' })).record.detail).toBe(redactionMarker);
  });
});

describe('F18 what a path removed, where it leaks', () => {
  const leaks = (value: string | number): Error =>
    Object.assign(
      new Error(`cannot log in with ${value}.`, { cause: error({ url: `https://x.y/?q=${encodeURIComponent(value)}` }, `as ${value}`) }),
      {
        detail: `sent ${JSON.stringify({ value })}`,
        extendedInfo: { [`key ${value}`]: value },
        config: { data: JSON.stringify({ password: value }) },
        code: value,
      },
    );

  it.each([secret, 'with "quotes" and \\', 'with\nlines', 'with NUL \0 inside', 'ä ö&ü=?/', 'a$&b$1', 12345678, -1.5e300])(
    'F18 is removed there: %j',
    (value) => {
      const { text } = setup(['properties.user.password'], leaks(value), { user: { password: value }, id: 1 });
      expect(text).not.toContain(JSON.stringify(String(value)).slice(1, -1));
      expect(text).not.toContain(encodeURIComponent(value));
      expect(text).toContain('cannot log in with [redacted].');
    },
  );

  it('F18 is removed with everything below the path', () => {
    expect(
      setup(['card'], error({}, 'no 4111111111111111 of Visa'), { card: { number: '4111111111111111', kind: ['Visa'] } }).record.exception
        .message,
    ).toBe('no [redacted] of [redacted]');
  });

  it('leaves texts alone where the secret is shorter than four characters', () => {
    expect(setup(['properties.pin'], error({}, 'an error in abc'), { pin: 'an' }).record.exception.message).toBe('an error in abc');
  });

  it('F18 is removed where the text was cut through it', () => {
    const long = Array.from({ length: 20_000 }, (_, index) => `s${index}`).join(' ');
    const { record, text } = setup(['properties.document'], error({}, `before ${long} after`), { document: long });
    expect(record.exception.message).toMatch(/^before \[redacted\]…\[\d+ bytes cut\]…\[redacted\] after$/);
    expect(text).not.toContain('s1 s2');
    expect(text).not.toContain('s19998');
  });

  it('F18 is removed where two secrets overlap', () => {
    const { record } = setup(['a', 'b'], error({}, 'say abcdefgh and redacted'), { a: 'abcdef', b: 'defgh' });
    expect(record.exception.message).toBe('say [redacted] and redacted');
  });

  it('keeps the redactor of the rules as it is', () => {
    const redactor = createRedactor(['properties.password']);
    expect(redactor.forJob({ password: secret }).text(secret)).toBe(redactionMarker);
    expect(redactor.text(secret)).toBe(secret);
    expect(redactor.forJob({ user: 'x' })).toBe(redactor);
    expect(redactor.forJob(null)).toBe(redactor);
  });

  it('F18 is removed from the exception that holds it in a field', () => {
    expect(
      setup(['*.authorization'], error({ config: { authorization: `Bearer ${secret}` } }, `sent Bearer ${secret}`)).text,
    ).not.toContain(secret);
  });
});

describe('F18 patterns', () => {
  it('F18 apply to every text, key and number', () => {
    const card = '4111111111111111';
    const thrown = Object.assign(new Error(`card ${card}`, { cause: card }), {
      [card]: [{ deep: card }],
      n: Number(card),
      detail: card,
      code: card,
    });
    const { text, record } = setup([/\b\d{16}\b/], thrown, { note: `a ${card} b`, n: Number(card) });
    expect(text).not.toContain(card);
    expect(record.properties).toStrictEqual({ note: 'a [redacted] b', n: redactionMarker });
  });

  it('F18 hold with any flags, and carry nothing from call to call', () => {
    for (const flags of ['', 'g', 'y', 'gy', 'i', 'gi', 'u', 'v']) {
      const rule = new RegExp('token', flags);
      rule.lastIndex = 3;
      const redactor = createRedactor([rule]);
      for (let call = 0; call < 3; call += 1) expect(redactor.text('a token, token')).toBe('a [redacted], [redacted]');
      expect(rule.lastIndex).toBe(3);
    }
  });

  it('do not grow what they matched without end', () => {
    expect(createRedactor([/x*/]).text('axxb')).toBe('a[redacted]b');
    expect(createRedactor([/\d/]).text('card 4111111111111111')).toBe('card [redacted]');
  });

  it('F18 change nothing when they are applied again', () => {
    const redactor = createRedactor([/\w+/, 'properties.a']).forJob({ a: 'redacted' });
    const once = redactor.text('a redacted text');
    expect(redactor.text(once)).toBe(once);
  });
});

describe('F18 a redactor', () => {
  it('without rules gives back the very same', () => {
    const redactor = createRedactor([]);
    const value = { a: [1] };
    const snapshot = snapshotException(new Error('x'));
    expect(redactor.active).toBe(false);
    expect(redactor.json(value)).toBe(value);
    expect(redactor.exception(snapshot)).toBe(snapshot);
    expect(redactor.forJob(value)).toBe(redactor);
    expect(redactor.text('x')).toBe('x');
    expect(createRedactor(['a']).active).toBe(true);
  });

  it('does not change its argument', () => {
    const properties = Object.freeze({ a: Object.freeze(['b']) });
    expect(createRedactor(['a']).json(properties)).toStrictEqual({ a: redactionMarker });
    expect(properties).toStrictEqual({ a: ['b'] });
  });

  it('F18 gives nothing of what is nested too deep to be read', () => {
    let deep: JsonObject = { password: secret };
    for (let index = 0; index < 100_000; index += 1) deep = { deep };
    const redactor = createRedactor(['*.password']);
    expect(redactor.json(deep)).toStrictEqual({ [redactionMarker]: redactionMarker });
    expect(() => redactor.forJob(deep)).not.toThrow();
  });

  it('F15 keeps every hostile value within plain JSON', () => {
    const redactor = createRedactor(['*.id', 'exception.cause', /boom/, /\d/]);
    for (const { make } of hostileValues) {
      const exception = redactor.exception(snapshotException(make()));
      expect(JSON.parse(JSON.stringify(exception))).toStrictEqual(exception);
    }
  });

  it('F18 leaves a secret nowhere', () => {
    const around = fc.string({ unit: fc.constantFrom('a', ' ', '"', '\\', '😀', '0', '%') });
    const value = fc.string({ unit: fc.constantFrom('s', 'e', 'c', '"', '\\', '\n', '7', 'é', '%'), minLength: 4, maxLength: 12 });
    fc.assert(
      fc.property(
        value,
        around,
        around,
        fc.constantFrom('properties.password', 'password', '*.password'),
        (password, before, after, rule) => {
          const said = `${before}${password}${after}`;
          const thrown = Object.assign(new Error(said, { cause: new AggregateError([said, error({ said })], said) }), {
            said,
            extendedInfo: { [said]: [said] },
          });
          const { record } = setup([rule], thrown, { password, copies: [said], nested: { password: 5 } });
          // What JSON escapes is compared as JSON has it.
          expect(leaves(record).some((text) => text.includes(password))).toBe(false);
        },
      ),
    );
  });
});

function leaves(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [key, ...leaves(item)]);
}
