import type { Json, JsonObject } from '../job/json.ts';
import type { PathPosition } from './path-rules.ts';
import { redactionMarker, type TextRedaction } from './text-redaction.ts';

/** The value without what the rules name, where it stands at this position. */
export function redactJson(value: Json, at: PathPosition, texts: TextRedaction): Json {
  if (at.matched) return redactionMarker;
  if (typeof value === 'string') return texts.text(value);
  if (typeof value === 'number') return texts.number(value);
  if (isArray(value)) return value.map((item, index) => redactJson(item, at.step(String(index)), texts));
  return isJsonObject(value) ? redactObject(value, (key) => at.step(key), texts) : value;
}

/** The same for an object that has to stay one: where a rule names the object itself, it keeps its keys and loses its values. */
export function redactObject(value: JsonObject, positionOf: (key: string) => PathPosition, texts: TextRedaction): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [texts.text(key), redactJson(item, positionOf(key), texts)]));
}

/** Adds the strings and numbers that the path rules remove from the value. */
export function collectRemoved(value: Json, at: PathPosition, removed: Set<string>): void {
  if (isArray(value)) {
    for (const [index, item] of value.entries()) collectRemoved(item, at.step(String(index)), removed);
  } else if (isJsonObject(value)) {
    for (const [key, item] of Object.entries(value)) collectRemoved(item, at.step(key), removed);
  } else if (at.matched && (typeof value === 'string' || typeof value === 'number')) {
    removed.add(String(value));
  }
}

export function isJsonObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !isArray(value);
}

// Array.isArray does not tell a readonly array from an object.
function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
