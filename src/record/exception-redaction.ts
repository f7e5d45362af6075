import { caps } from './caps.ts';
import { collectRemoved, redactObject } from './json-redaction.ts';
import type { PathPosition, PathRules } from './path-rules.ts';
import { cutMiddle } from './text.ts';
import { redactionMarker, type TextRedaction } from './text-redaction.ts';
import type { ExceptionSnapshot } from './types.ts';

/** The exception and all below it without what the rules name; what paths remove from it is removed from all its texts too. */
export function redactException(exception: ExceptionSnapshot, paths: PathRules, texts: TextRedaction): ExceptionSnapshot {
  const removed = new Set<string>();
  new ExceptionRedaction(paths, texts).collect(exception, ['exception'], removed);
  return new ExceptionRedaction(paths, texts.withSecrets(removed)).redact(exception, ['exception']);
}

/** `path` is where an exception stands in the record: `exception`, `exception.cause`, `exception.errors.0`, ... */
class ExceptionRedaction {
  private readonly paths: PathRules;
  private readonly texts: TextRedaction;

  constructor(paths: PathRules, texts: TextRedaction) {
    this.paths = paths;
    this.texts = texts;
  }

  redact(exception: ExceptionSnapshot, path: readonly string[]): ExceptionSnapshot {
    const { type, message, code, stack, fields, cause, errors, truncated } = exception;
    const text = (name: string, value: string): string =>
      value !== '' && this.names(path, name) ? redactionMarker : this.texts.text(value);
    return {
      type: text('type', type),
      message: held(text('message', message), message, caps.messageBytes),
      ...(code === undefined ? {} : { code: typeof code === 'string' ? text('code', code) : this.code(path, code) }),
      stack: held(text('stack', stack), stack, caps.stackBytes),
      ...(fields === undefined ? {} : { fields: redactObject(fields, this.fieldsAt(path), this.texts) }),
      ...(cause === undefined ? {} : { cause: this.redact(cause, [...path, 'cause']) }),
      ...(errors === undefined ? {} : { errors: errors.map((error, index) => this.redact(error, [...path, 'errors', String(index)])) }),
      ...(truncated === undefined ? {} : { truncated }),
    };
  }

  /** Adds what path rules remove from the exception and all below it. */
  collect(exception: ExceptionSnapshot, path: readonly string[], removed: Set<string>): void {
    const { message, code, fields, cause, errors } = exception;
    if (this.names(path, 'message')) removed.add(message);
    if (code !== undefined && this.names(path, 'code')) removed.add(String(code));
    const fieldAt = this.fieldsAt(path);
    for (const [key, value] of Object.entries(fields ?? {})) collectRemoved(value, fieldAt(key), removed);
    if (cause !== undefined) this.collect(cause, [...path, 'cause'], removed);
    for (const [index, error] of (errors ?? []).entries()) this.collect(error, [...path, 'errors', String(index)], removed);
  }

  private code(path: readonly string[], code: number): number | string {
    return this.names(path, 'code') ? redactionMarker : this.texts.number(code);
  }

  /** Rules for the exception's fields hold for each cause's, and those for `extendedInfo`, which is made from them, hold here as well. */
  private fieldsAt(path: readonly string[]): (key: string) => PathPosition {
    const fields = this.paths.at([...path, 'fields'], ['exception', 'fields'], ['extendedInfo']);
    return (key) => (key === 'extendedInfo' ? fields.step(key).or(this.paths.at(['extendedInfo'])) : fields.step(key));
  }

  /** Whether a rule names this part of this exception, of exceptions as such, or of the record, which repeats it. */
  private names(path: readonly string[], part: string): boolean {
    return this.paths.at([...path, part], ['exception', part], [part]).matched;
  }
}

/** Markers can be longer than what they stand for. */
function held(text: string, before: string, maxBytes: number): string {
  return text.length > before.length ? cutMiddle(text, maxBytes).text : text;
}
