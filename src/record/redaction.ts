import { types } from 'node:util';
import type { Json, JsonObject } from '../job/json.ts';
import { redactException } from './exception-redaction.ts';
import { collectRemoved, isJsonObject, redactJson, redactObject } from './json-redaction.ts';
import { PathRules, type PathPosition } from './path-rules.ts';
import { everywhere, redactionMarker, TextRedaction } from './text-redaction.ts';
import type { ExceptionSnapshot } from './types.ts';

export { redactionMarker };

/** Removes what the `redact` rules name. Nothing here throws or changes its argument. */
export interface Redactor {
  /** False without rules: everything is given back as it is. */
  readonly active: boolean;
  /**
   * A value that stands at `root` of a record (`properties`, `extendedInfo`, `exception.fields`); without one it is a record, or
   * anything else with roots of its own. An object whose root a rule names keeps its keys and loses all its values.
   */
  json(value: JsonObject, root?: string): JsonObject;
  json(value: JsonObject | null, root?: string): JsonObject | null;
  json(value: Json, root?: string): Json;
  /** A text, wherever it is put; with `root` one that a path can name (`detail`). */
  text(value: string, root?: string): string;
  exception(snapshot: ExceptionSnapshot): ExceptionSnapshot;
  /**
   * A redactor for the records of one job: strings and numbers of 4 characters and more that path rules remove from these properties
   * are removed from every other text too, since what a job was given it also puts into messages.
   */
  forJob(properties: Json): Redactor;
}

/**
 * A redactor of these rules. A string is a dot path from the record's root, with `*` for one segment and a leading `*.` for any depth:
 * `properties.card.number`, `exception.fields.token`, `properties.users.*.email`, `*.password`. It also holds directly below a root:
 * `card.number` covers `properties`, `extendedInfo` and `exception.fields`. Rules for the exception hold for each of its causes, and
 * `exception.fields` and `extendedInfo`, which hold the same values, stand for each other.
 * A RegExp is applied to every text, key and number; its own `lastIndex` is neither used nor changed.
 */
export function createRedactor(rules: readonly (string | RegExp)[]): Redactor {
  const paths = rules.filter((rule) => typeof rule === 'string');
  const patterns = rules.filter((rule) => types.isRegExp(rule)).map(everywhere);
  return new RuleRedactor(new PathRules(paths), new TextRedaction(patterns), rules.length > 0);
}

class RuleRedactor implements Redactor {
  readonly active: boolean;
  private readonly paths: PathRules;
  private readonly texts: TextRedaction;

  constructor(paths: PathRules, texts: TextRedaction, active: boolean) {
    this.paths = paths;
    this.texts = texts;
    this.active = active;
  }

  json(value: JsonObject, root?: string): JsonObject;
  json(value: JsonObject | null, root?: string): JsonObject | null;
  json(value: Json, root?: string): Json;
  json(value: Json, root?: string): Json {
    if (!this.active) return value;
    const at = this.paths.at(...placesOf(root));
    try {
      return isJsonObject(value) ? redactObject(value, (key) => at.step(key), this.texts) : redactJson(value, at, this.texts);
    } catch {
      // Nested beyond what the call stack holds: better nothing of it than a secret.
      return isJsonObject(value) ? { [redactionMarker]: redactionMarker } : redactionMarker;
    }
  }

  text(value: string, root?: string): string {
    if (!this.active) return value;
    return root !== undefined && this.paths.at(...placesOf(root)).matched ? redactionMarker : this.texts.text(value);
  }

  exception(snapshot: ExceptionSnapshot): ExceptionSnapshot {
    if (!this.active) return snapshot;
    try {
      return redactException(snapshot, this.paths, this.texts);
    } catch {
      return { type: redactionMarker, message: redactionMarker, stack: '' };
    }
  }

  forJob(properties: Json): Redactor {
    if (!this.active) return this;
    const removed = new Set<string>();
    const at: PathPosition = this.paths.at(['properties']);
    try {
      collectRemoved(properties, at, removed);
    } catch {
      // Nested beyond what the call stack holds; what was found until there still counts.
    }
    return removed.size === 0 ? this : new RuleRedactor(this.paths, this.texts.withSecrets(removed), true);
  }
}

/** Everywhere a record repeats what stands at this root. */
function placesOf(root: string | undefined): readonly (readonly string[])[] {
  if (root === undefined) return [];
  const place = root.split('.');
  if (root === 'extendedInfo') return [place, ['exception', 'fields'], ['exception', 'fields', 'extendedInfo']];
  return root === 'exception.fields' ? [place, ['extendedInfo']] : [place];
}
