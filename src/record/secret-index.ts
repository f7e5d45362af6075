import { cutMark, wellFormed } from './text.ts';

/** Shorter secrets would be found in the middle of ordinary words and destroy every text. */
const leastLength = 4;
/** Up to so many different beginnings are sought one by one; beyond, each place of the text is looked up among them. */
const fewBeginnings = 16;

export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Secrets, and where they stand in a text in any of their forms. Fast with one and with ten thousand: a batch's properties may hold as many. */
export class SecretIndex {
  private readonly forms: ReadonlySet<string>;
  /** By their first characters; the longest first. */
  private readonly byBeginning = new Map<string, string[]>();

  constructor(forms: ReadonlySet<string> = new Set()) {
    this.forms = forms;
    for (const form of [...forms].toSorted((one, other) => other.length - one.length)) {
      const beginning = form.slice(0, leastLength);
      const known = this.byBeginning.get(beginning);
      if (known === undefined) this.byBeginning.set(beginning, [form]);
      else known.push(form);
    }
  }

  /** With further secrets; those of fewer than 4 characters are passed over. */
  with(secrets: Iterable<string>): SecretIndex {
    const forms = [...secrets].flatMap(formsOf).filter((form) => form.length >= leastLength && !this.forms.has(form));
    return forms.length === 0 ? this : new SecretIndex(new Set([...this.forms, ...forms]));
  }

  /** Where they stand, from left to right; spans may overlap. */
  spansIn(text: string): readonly Span[] {
    if (this.forms.size === 0 || text.length < leastLength) return [];
    const spans: Span[] = [];
    for (const start of this.placesIn(text)) {
      const form = this.byBeginning.get(text.slice(start, start + leastLength))?.find((secret) => text.startsWith(secret, start));
      if (form !== undefined) spans.push({ start, end: start + form.length });
    }
    const mark = cutMark.exec(text);
    if (mark !== null) {
      const cut = { start: mark.index, end: mark.index + mark[0].length };
      for (const form of this.forms) spans.push(...halvesOf(form, text, cut));
    }
    return spans.toSorted((one, other) => one.start - other.start);
  }

  private *placesIn(text: string): Iterable<number> {
    if (this.byBeginning.size > fewBeginnings) {
      for (let start = 0; start <= text.length - leastLength; start += 1) yield start;
      return;
    }
    for (const beginning of this.byBeginning.keys()) {
      for (let start = text.indexOf(beginning); start !== -1; start = text.indexOf(beginning, start + 1)) yield start;
    }
  }
}

const sameInAllForms = /^[\w.-]*$/;

/** As it is, as it was made storable, and both as they stand in JSON, in a URL and in a form. */
function formsOf(secret: string): readonly string[] {
  if (sameInAllForms.test(secret)) return [secret];
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

/** What is left of a secret through which the text was cut: its beginning before the mark, its end after it. */
function halvesOf(secret: string, text: string, mark: Span): readonly Span[] {
  const spans: Span[] = [];
  const before = text.slice(Math.max(0, mark.start - secret.length), mark.start);
  const after = text.slice(mark.end, mark.end + secret.length);
  const first = secret.slice(0, leastLength);
  for (let at = before.indexOf(first); at !== -1; at = before.indexOf(first, at + 1)) {
    if (secret.startsWith(before.slice(at))) spans.push({ start: mark.start - before.length + at, end: mark.start });
  }
  const last = secret.slice(-leastLength);
  for (let at = after.lastIndexOf(last); at !== -1; at = at === 0 ? -1 : after.lastIndexOf(last, at - 1)) {
    const end = at + last.length;
    if (secret.endsWith(after.slice(0, end))) spans.push({ start: mark.end, end: mark.end + end });
  }
  return spans;
}
