import type { Json, JsonObject } from '../job/json.ts';
import { caps } from './caps.ts';
import { isObject, read } from './guarded-reading.ts';
import { JsonBudget } from './json-budget.ts';
import { plainJson } from './plain-json.ts';
import { cutMiddle } from './text.ts';
import type { ExceptionSnapshot } from './types.ts';

/**
 * What stands behind a failure, in one text: `error.detail` where that is a string (PostgreSQL sets it), else the code and the first
 * cause on one line, such as `ECONNREFUSED; caused by Error: connect ECONNREFUSED 127.0.0.1:80`. Null where there is neither.
 * Never throws. What the snapshot holds is taken from there, so a redacted snapshot gives a redacted detail.
 */
export function detailOf(thrown: unknown, snapshot: ExceptionSnapshot): string | null {
  const own = snapshot.fields?.['detail'] ?? (isObject(thrown) ? read(thrown, 'detail') : undefined);
  if (typeof own === 'string' && own !== '') return cutMiddle(own, caps.messageBytes).text;
  const parts = [snapshot.code === undefined ? '' : String(snapshot.code), causeLine(snapshot)].filter((part) => part !== '');
  return parts.length === 0 ? null : cutMiddle(parts.join('; '), caps.messageBytes).text;
}

/**
 * `error.extendedInfo` and all other own enumerable fields as JSON; null where there are none. An `extendedInfo` that is an object
 * gives its own keys, before fields of the same name; anything else stands under its name. A `detail` that {@link detailOf} tells is left out.
 * Never throws; held to the cap of a field beyond what the snapshot holds already.
 */
export function extendedInfoOf(thrown: unknown, snapshot: ExceptionSnapshot): JsonObject | null {
  const { extendedInfo: ownInfo, detail, ...others } = snapshot.fields ?? {};
  const info = ownInfo ?? inheritedInfo(thrown);
  const all = {
    ...others,
    ...(detail === undefined || typeof detail === 'string' ? {} : { detail }),
    ...(info === undefined ? {} : isJsonObject(info) ? info : { extendedInfo: info }),
  };
  return Object.keys(all).length === 0 ? null : all;
}

function causeLine({ cause, errors }: ExceptionSnapshot): string {
  if (cause !== undefined) return `caused by ${oneLine(cause)}`;
  // Node tells a refused connection by an AggregateError with an empty message: what is to be known is in its errors.
  const first = errors?.[0];
  return first === undefined ? '' : `first of ${errors?.length} errors: ${oneLine(first)}`;
}

function oneLine({ type, message, code }: ExceptionSnapshot): string {
  const said = message === '' ? String(code ?? '') : message;
  return `${type}${said === '' ? '' : ': '}${said}`.replaceAll(/\s+/g, ' ').trim();
}

function inheritedInfo(thrown: unknown): Json | undefined {
  const info = isObject(thrown) ? read(thrown, 'extendedInfo') : undefined;
  return info === undefined ? undefined : plainJson(info, new JsonBudget(caps.fieldBytes));
}

function isJsonObject(json: Json): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}
