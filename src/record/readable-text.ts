import type { Json } from '../job/json.ts';
import { classNameOf, isObject, read } from './guarded-reading.ts';
import { JsonBudget } from './json-budget.ts';
import { plainJson } from './plain-json.ts';
import { wordFor } from './wording.ts';

/** What a value says, and for an object the JSON it was said with, so that nobody need read it twice. */
export interface ReadableText {
  readonly text: string;
  readonly json?: Json;
  readonly cut?: boolean;
}

/**
 * The best text for a value that is no Error: a string itself, an object's `message`, else its class and JSON (`Order {"id":7}`).
 * Its JSON is held to `maxBytes`; a string comes back whole. Never throws.
 */
export function readableText(value: unknown, maxBytes: number): ReadableText {
  if (typeof value === 'string') return { text: value };
  if (Object.is(value, -0)) return { text: '-0' };
  if (typeof value !== 'object' || value === null) return { text: wordFor(value) ?? String(value) };
  const message = read(value, 'message');
  if (typeof message === 'string' && message !== '') return { text: message };
  const budget = new JsonBudget(maxBytes);
  const json = plainJson(value, budget);
  if (!isObject(json)) return { text: String(json), cut: budget.cut };
  const className = classNameOf(value).slice(0, 255);
  const prefix = className === '' || className === 'Object' || className === 'Array' ? '' : `${className} `;
  return { text: prefix + JSON.stringify(json), json, cut: budget.cut };
}
