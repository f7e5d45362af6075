import { EventEmitter } from 'node:events';
import { types } from 'node:util';
import type { Json } from '../job/json.ts';
import { classNameOf, isError, isObject, read, readField, shortReasonOf, typeNameOf, type FieldReading } from './guarded-reading.ts';
import type { JsonBudget } from './json-budget.ts';
import { cutMiddle, jsonBytes } from './text.ts';
import { wordFor } from './wording.ts';

const maxDepth = 8;
export const maxEntries = 1_000;
export const maxKeyBytes = 255;
/** One long text must not leave its neighbours no room. */
const nestedTextBytes = 16 * 1024;
/** Kept back, so that the marks of all that is still open can be paid when the budget runs out. */
const reserve = 512;

/**
 * Any value as plain JSON, paid from the budget. Never throws, always ends, and says in words what JSON cannot carry:
 * `[Circular]`, `[Function name]`, `[Buffer: 12 bytes]`, `[Threw: message]`, `[12 more]`, `123n`, `NaN`, `undefined`.
 * Only string keys are read; a Map with other keys becomes a list of pairs.
 */
export function plainJson(value: unknown, budget: JsonBudget): Json {
  return new Conversion(budget).convert(value);
}

/** A reading as plain JSON; a getter that threw is told in its field's place. */
export function plainReading(reading: FieldReading, budget: JsonBudget): Json {
  return new Conversion(budget).reading(reading);
}

class Conversion {
  private readonly budget: JsonBudget;
  /** The objects around the one being read, outermost first. */
  private readonly open: object[] = [];

  constructor(budget: JsonBudget) {
    this.budget = budget;
  }

  convert(value: unknown): Json {
    if (typeof value === 'string') return this.text(value);
    if (value === null || typeof value === 'boolean') return this.paid(value);
    // JSON has no -0 and would give back 0.
    if (typeof value === 'number' && Number.isFinite(value)) return this.paid(value === 0 ? 0 : value);
    return typeof value === 'object' ? this.object(value) : this.text(wordFor(value) ?? '');
  }

  reading(reading: FieldReading): Json {
    return 'threw' in reading ? this.text(`[Threw: ${shortReasonOf(reading.threw)}]`) : this.convert(reading.value);
  }

  private object(value: object): Json {
    if (this.open.includes(value)) return this.text('[Circular]');
    this.open.push(value);
    try {
      const word = wordFor(value);
      return word === undefined ? this.container(value) : this.text(word);
    } catch (threw) {
      // A Proxy: whatever it is asked may throw.
      return this.text(`[Unreadable: ${shortReasonOf(threw)}]`);
    } finally {
      this.open.pop();
    }
  }

  private container(value: object): Json {
    const isArray = Array.isArray(value);
    if (this.open.length > maxDepth) return this.leftOut(isArray ? `[Array of ${value.length}]` : `[${classNameOf(value) || 'Object'}]`);
    if (isArray) return this.list(value.length, (index) => readField(value, index));
    if (types.isMap(value)) return this.map(value);
    if (types.isSet(value)) {
      const members = [...Set.prototype.values.call(value)];
      return this.list(members.length, (index) => ({ value: members[index] }));
    }
    if (isError(value)) return this.error(value);
    return this.ownJson(value) ?? this.fields(value);
  }

  /** What `toJSON` makes of the value (an ObjectId, a URL, a Decimal); undefined where there is none, or it fails. */
  private ownJson(value: object): Json | undefined {
    const toJson = read(value, 'toJSON');
    if (typeof toJson !== 'function') return undefined;
    let result: unknown;
    try {
      result = Reflect.apply(toJson, value, ['']);
    } catch {
      return undefined;
    }
    return result === undefined || result === value ? undefined : this.convert(result);
  }

  private fields(value: object): Json {
    let keys = Object.keys(value);
    // Sockets, requests and streams hold half the process; their plain values (status, method, path) tell enough.
    if (value instanceof EventEmitter) keys = keys.filter((key) => !isObject(read(value, key)));
    const className = classNameOf(value);
    if (keys.length === 0 && className !== '' && className !== 'Object') return this.text(`[${className}]`);
    return this.entries(keys, (key) => readField(value, key));
  }

  private error(error: object): Json {
    const hidden = ['message', 'stack', 'cause', 'errors'].filter((key) => read(error, key) !== undefined);
    const keys = [...new Set(['name', ...hidden, ...Object.keys(error)])];
    return this.entries(keys, (key) => (key === 'name' ? { value: typeNameOf(error) } : readField(error, key)));
  }

  private map(map: Map<unknown, unknown>): Json {
    const keys = [...Map.prototype.keys.call(map)];
    const valueOf = (key: unknown): FieldReading => ({ value: Map.prototype.get.call(map, key) });
    if (keys.every((key) => typeof key === 'string')) return this.entries(keys, valueOf);
    return this.list(keys.length, (index) => ({ value: [keys[index], Map.prototype.get.call(map, keys[index])] }));
  }

  private entries(keys: readonly string[], readingOf: (key: string) => FieldReading): Json {
    this.budget.spend(2);
    const entries: [string, Json][] = [];
    for (const raw of keys) {
      const key = cutMiddle(raw, maxKeyBytes).text;
      const bytes = jsonBytes(key) + 2;
      if (entries.length === maxEntries || this.budget.left < bytes + reserve) {
        entries.push(['…', this.leftOut(`[${keys.length - entries.length} more]`)]);
        break;
      }
      this.budget.spend(bytes);
      entries.push([key, this.reading(readingOf(raw))]);
    }
    // V8 takes half a second to name a million keys, however few are kept: that is paid too, or many such objects could follow.
    if (keys.length > maxEntries) this.budget.spend(keys.length >> 2);
    // Not by assignment, to which a key `__proto__` would mean something else.
    return Object.fromEntries(entries);
  }

  private list(length: number, readingAt: (index: number) => FieldReading): Json {
    this.budget.spend(2);
    const items: Json[] = [];
    for (let index = 0; index < length; index += 1) {
      if (index === maxEntries || this.budget.left < reserve) {
        items.push(this.leftOut(`[${length - index} more]`));
        break;
      }
      this.budget.spend(1);
      items.push(this.reading(readingAt(index)));
    }
    return items;
  }

  private text(text: string): string {
    return this.open.length === 0 ? this.budget.text(text, Infinity) : this.budget.text(text, nestedTextBytes, reserve);
  }

  private leftOut(mark: string): string {
    this.budget.noteCut();
    return this.budget.text(mark, Infinity);
  }

  private paid(value: number | boolean | null): Json {
    this.budget.spend(String(value).length);
    return value;
  }
}
