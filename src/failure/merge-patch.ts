import type { Json, JsonObject } from '../job/json.ts';

/** Applies a JSON merge patch (RFC 7396): objects are merged key by key, `null` removes a key, anything else replaces. */
export function mergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  const merged = new Map<string, Json>(Object.entries(target));
  for (const [key, change] of Object.entries(patch)) {
    if (change === null) merged.delete(key);
    else merged.set(key, isObject(change) ? mergePatch(objectOf(merged.get(key)), change) : change);
  }
  // Defines each key as its own, so that one called __proto__ is a key like any other.
  return Object.fromEntries(merged);
}

function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
