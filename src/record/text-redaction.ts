import { SecretIndex } from './secret-index.ts';

/** Stands in place of everything that a rule removed. */
export const redactionMarker = '[redacted]';

const repeatedMarker = /(?:\[redacted\])+/g;

/** Removes patterns and known secrets from texts. */
export class TextRedaction {
  private readonly patterns: readonly RegExp[];
  private readonly secrets: SecretIndex;

  constructor(patterns: readonly RegExp[], secrets = new SecretIndex()) {
    this.patterns = patterns;
    this.secrets = secrets;
  }

  /** The same with further secrets; those of fewer than 4 characters are passed over. */
  withSecrets(secrets: ReadonlySet<string>): TextRedaction {
    const all = this.secrets.with([...secrets].filter((secret) => secret !== redactionMarker));
    return all === this.secrets ? this : new TextRedaction(this.patterns, all);
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
    for (const span of this.secrets.spansIn(text)) {
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
