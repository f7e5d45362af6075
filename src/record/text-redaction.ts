import { cutMark, wellFormed } from './text.ts';

/** Stands in place of everything that a rule removed. */
export const redactionMarker = '[redacted]';

const repeatedMarker = /(?:\[redacted\])+/g;
/** Shorter secrets would be found in the middle of ordinary words and destroy every text. */
const leastSecretLength = 4;

/** Removes patterns and known secrets from texts. */
export class TextRedaction {
  private readonly patterns: readonly RegExp[];
  /** Each in all its forms. */
  private readonly secrets: ReadonlySet<string>;

  constructor(patterns: readonly RegExp[], secrets: ReadonlySet<string> = new Set()) {
    this.patterns = patterns;
    this.secrets = secrets;
  }

  /** The same with further secrets; those of fewer than 4 characters are passed over. */
  withSecrets(secrets: ReadonlySet<string>): TextRedaction {
    const forms = [...secrets].filter((secret) => secret.length >= leastSecretLength && secret !== redactionMarker).flatMap(formsOf);
    return forms.length === 0 ? this : new TextRedaction(this.patterns, new Set([...this.secrets, ...forms]));
  }

  text(text: string): string {
    // What an earlier pass left is not looked at: a second pass would find `redacted` in it and mark it again.
    const parts = text.split(redactionMarker).map((part) => this.part(part));
    return parts.join(redactionMarker).replaceAll(repeatedMarker, redactionMarker);
  }

  /** A number is removed as a whole: half a card number is no number. */
  number(value: number): number | string {
    const text = String(value);
    return this.text(text) === text ? value : redactionMarker;
  }

  private part(text: string): string {
    let redacted = this.withoutSecrets(text);
    for (const pattern of this.patterns) {
      // An empty match removes nothing, and would put a marker between all characters.
      redacted = redacted.replace(pattern, (match) => (match === '' ? '' : redactionMarker));
    }
    return redacted;
  }

  /** Secrets that overlap in the text go together, or a piece of one would stay. */
  private withoutSecrets(text: string): string {
    let kept = '';
    let end = 0;
    for (const span of spansOf(this.secrets, text)) {
      if (span.start >= end) kept += text.slice(end, span.start) + redactionMarker;
      end = Math.max(end, span.end);
    }
    return kept + text.slice(end);
  }
}

/** The user's pattern for every match in a text; a copy, since `lastIndex` of a global or sticky one outlives the call. */
export function everywhere(pattern: RegExp): RegExp {
  return new RegExp(pattern.source, `${pattern.flags.replaceAll(/[gy]/g, '')}g`);
}

/** As it is, as it was made storable, and both as they stand in JSON, in a URL and in a form. */
function formsOf(secret: string): readonly string[] {
  return [secret, wellFormed(secret)].flatMap((text) => [
    text,
    JSON.stringify(text).slice(1, -1),
    new URLSearchParams([['', text]]).toString().slice(1),
    uriForm(text),
  ]);
}

function uriForm(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    // A lone surrogate has no such form.
    return text;
  }
}

interface Span {
  readonly start: number;
  readonly end: number;
}

function spansOf(secrets: Iterable<string>, text: string): readonly Span[] {
  const spans: Span[] = [];
  const mark = cutMark.exec(text);
  for (const secret of secrets) {
    for (let start = text.indexOf(secret); start !== -1; start = text.indexOf(secret, start + 1)) {
      spans.push({ start, end: start + secret.length });
    }
    if (mark !== null) spans.push(...halvesOf(secret, text, { start: mark.index, end: mark.index + mark[0].length }));
  }
  return spans.toSorted((one, other) => one.start - other.start);
}

/** What is left of a secret through which the text was cut: its beginning before the mark, its end after it. */
function halvesOf(secret: string, text: string, mark: Span): readonly Span[] {
  const spans: Span[] = [];
  const before = text.slice(Math.max(0, mark.start - secret.length), mark.start);
  const after = text.slice(mark.end, mark.end + secret.length);
  const first = secret.slice(0, leastSecretLength);
  for (let at = before.indexOf(first); at !== -1; at = before.indexOf(first, at + 1)) {
    if (secret.startsWith(before.slice(at))) spans.push({ start: mark.start - before.length + at, end: mark.start });
  }
  const last = secret.slice(-leastSecretLength);
  for (let at = after.lastIndexOf(last); at !== -1; at = at === 0 ? -1 : after.lastIndexOf(last, at - 1)) {
    const end = at + last.length;
    if (secret.endsWith(after.slice(0, end))) spans.push({ start: mark.end, end: mark.end + end });
  }
  return spans;
}
