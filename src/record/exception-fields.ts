import { types } from 'node:util';
import type { Json, JsonObject } from '../job/json.ts';
import { caps } from './caps.ts';
import { readField, type FieldReading } from './guarded-reading.ts';
import type { JsonBudget } from './json-budget.ts';
import { maxEntries, maxKeyBytes, plainReading } from './plain-json.ts';
import { cutMiddle, jsonBytes } from './text.ts';
import type { ExceptionSnapshot } from './types.ts';

/** Below this a further field could say next to nothing. */
const leastRoom = 1_024;

/**
 * The own enumerable fields of what was thrown that its snapshot does not tell already, paid from the budget.
 * Undefined where there are none. Never throws; each field is held to its cap, one whose getter throws says so.
 */
export function exceptionFields(thrown: object, told: ExceptionSnapshot, budget: JsonBudget): JsonObject | undefined {
  const keys = ownKeys(thrown);
  const fields: [string, Json][] = [];
  for (const [index, key] of keys.entries()) {
    const reading = readField(thrown, key);
    if (isTold(key, reading, told)) continue;
    if (fields.length === maxEntries || budget.left < leastRoom) {
      budget.noteCut();
      // Not for each of a thousand causes that came too late; `truncated` says it of those.
      if (fields.length > 0) fields.push(['…', budget.text(`[${keys.length - index} more]`, Infinity)]);
      break;
    }
    const name = cutMiddle(key, maxKeyBytes).text;
    budget.spend(jsonBytes(name) + 2);
    fields.push([name, plainReading(reading, budget.part(caps.fieldBytes))]);
  }
  return fields.length > 0 ? Object.fromEntries(fields) : undefined;
}

/** The same for an object that was read as JSON already, since it had no message but that. */
export function exceptionFieldsRead(json: JsonObject, told: ExceptionSnapshot, budget: JsonBudget): JsonObject | undefined {
  const fields = Object.entries(json).filter(([key, value]) => !isTold(key, { value }, told));
  if (fields.length === 0) return undefined;
  const read = Object.fromEntries(fields);
  const bytes = Buffer.byteLength(JSON.stringify(read));
  if (bytes <= budget.left) {
    budget.spend(bytes);
    return read;
  }
  budget.noteCut();
  return undefined;
}

/** The keys, but for what has none worth telling: of an array or Buffer they are its indexes, which its text tells. */
function ownKeys(thrown: object): readonly string[] {
  try {
    const isIndexed = Array.isArray(thrown) || ArrayBuffer.isView(thrown) || types.isStringObject(thrown);
    return isIndexed ? [] : Object.keys(thrown);
  } catch {
    return [];
  }
}

function isTold(key: string, reading: FieldReading, told: ExceptionSnapshot): boolean {
  if (key === 'errors') return told.errors !== undefined;
  if ('threw' in reading) return key === 'message' || (key === 'cause' && told.cause !== undefined);
  const { value } = reading;
  switch (key) {
    case 'message':
    case 'stack':
      return typeof value === 'string';
    case 'cause':
      // Also where the chain was cut before it: else the field would go on where the chain had to end.
      return typeof value !== 'function';
    case 'name':
      return value === told.type;
    case 'code':
      return told.code !== undefined;
    default:
      return false;
  }
}
