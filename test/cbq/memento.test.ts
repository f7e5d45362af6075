import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCbqMemento, recodeCbqMemento } from '../../src/job/cbq-memento.ts';
import { decodeMemento } from '../../src/job/memento.ts';

const head = { id: '01890000-0000-7000-8000-000000000001', name: 'SendWelcomeEmailJob', createdAt: 1_700_000_000_000 };
const recoded = (memento: unknown) => decodeMemento(recodeCbqMemento(readCbqMemento(JSON.stringify(memento)), head));

describe("cbq's memento of a job", () => {
  it('becomes one of ours: properties as they are, seconds as milliseconds', () => {
    const properties = { userId: 1, list: ['a', null, { deep: true }], text: 'Zoë 🦊' };
    const memento = {
      id: 17,
      connection: 'default',
      queue: 'mail',
      mapping: 'SendWelcomeEmailJob',
      properties,
      backoff: 2.5,
      timeout: 20,
      maxAttempts: 3,
      currentAttempt: 2,
      chained: [],
      batchId: null,
      isLifecycleJob: false,
    };
    expect(recoded(memento)).toEqual({ ...head, properties, options: { maxAttempts: 3, timeoutMs: 20_000, backoff: [2_500] } });
    expect(readCbqMemento(JSON.stringify(memento))).toMatchObject({ attempts: 2, chained: 0, isOfBatch: false });
  });

  it.each([
    ['numbers as text', { maxAttempts: '3', timeout: '20.0', backoff: '5' }, { maxAttempts: 3, timeoutMs: 20_000, backoff: [5_000] }],
    ['numbers with a fraction of 0', { maxAttempts: 3.0, timeout: 20.0 }, { maxAttempts: 3, timeoutMs: 20_000 }],
    ['no limit of attempts', { maxAttempts: 0 }, { maxAttempts: 0 }],
    ['a list of backoffs', { backoff: [1, '10', 60] }, { backoff: [1_000, 10_000, 60_000] }],
    ['a backoff of 0', { backoff: 0 }, { backoff: [0] }],
    ['a timeout of 0, which there ends every attempt at once', { timeout: 0 }, {}],
    ['nothing', {}, {}],
    ['null and empty text', { maxAttempts: null, timeout: '', backoff: null }, {}],
    ['nonsense', { maxAttempts: -1, timeout: 'soon', backoff: [1, 'later'] }, {}],
    ['more nonsense', { maxAttempts: 1.5, timeout: 1e300, backoff: [] }, {}],
    ['structs', { maxAttempts: {}, timeout: [20], backoff: { seconds: 5 } }, {}],
  ])('with %s', (_, said, options) => {
    expect(recoded({ mapping: 'X', properties: {}, ...said }).options).toEqual(options);
  });

  it('needs no properties', () => {
    expect(recoded({ mapping: 'X' }).properties).toEqual({});
    expect(recoded({ mapping: 'X', properties: null }).properties).toEqual({});
  });

  it.each([['null'], ['[]'], ['"text"'], ['{'], [''], ['{"properties":[]}'], ['{"properties":"text"}'], ['{"properties":0}']])(
    '%j is none',
    (text) => {
      expect(() => readCbqMemento(text)).toThrow(expect.objectContaining({ code: 'PAYLOAD_UNREADABLE' }));
    },
  );

  it('tells how many jobs were chained to it, and whether it was of a batch', () => {
    expect(readCbqMemento('{"chained":[{},{}],"batchId":"B"}')).toMatchObject({ chained: 2, isOfBatch: true });
    expect(readCbqMemento('{"chained":"","batchId":""}')).toMatchObject({ chained: 0, isOfBatch: false });
  });

  it('of any JSON object, with any options, is one of ours that can be read', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.jsonValue(),
        fc.jsonValue(),
        fc.jsonValue(),
        fc.jsonValue(),
        (properties, maxAttempts, timeout, backoff, chained) => {
          const { id, name, properties: kept } = recoded({ properties, maxAttempts, timeout, backoff, chained });
          expect({ id, name, kept }).toEqual({ id: head.id, name: head.name, kept: JSON.parse(JSON.stringify(properties)) });
        },
      ),
    );
  });
});
