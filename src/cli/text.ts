const hidden = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\p{Cs}]/gu;
const blanks = /[\s\p{Zl}\p{Zp}]+/gu;
const marks = /^[\p{M}\p{Cf}]*$/u;
// Of the characters of width two, those that names and messages really hold: CJK, Hangul, full-width forms, emoji.
const wide =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff01-\uff60\uffe0-\uffe6\p{Emoji_Presentation}\ufe0f]/u;
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/**
 * The text with everything escaped that a terminal would act on instead of showing: control characters, bidi overrides,
 * line separators, lone surrogates. Messages and payloads come from anywhere, and must not move the cursor or set a title.
 */
export function printable(text: string): string {
  return text.replace(hidden, (found) => {
    if (found === '\n') return '\\n';
    const code = found.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** {@link printable}, with each run of blanks and line ends as one space. */
export function oneLine(text: string): string {
  return printable(text.replace(blanks, ' ').trim());
}

/** The lines of a text of several, each {@link printable}, tabs as spaces. */
export function printableLines(text: string): string[] {
  return text.split(/\r?\n/).map((line) => printable(line.replaceAll('\t', '    ')).trimEnd());
}

/** JSON for stdout: valid for programs, harmless on a terminal. */
export function printableJson(value: unknown, indent = 2): string {
  const text = JSON.stringify(value, null, indent);
  return text.replace(hidden, (found) => (found === '\n' ? found : `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`));
}

/** How many terminal cells a text takes. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += graphemeWidth(segment);
  return width;
}

function graphemeWidth(segment: string): number {
  if (segment.length === 1 && segment >= ' ' && segment <= '~') return 1;
  if (marks.test(segment)) return 0;
  return wide.test(segment) ? 2 : 1;
}

/** The text in at most `width` cells, its end given up for `…` where it is longer. */
export function truncate(text: string, width: number): string {
  // A message can be 64 KiB; only its beginning can matter.
  const start = text.slice(0, width * 16 + 16);
  if (start.length === text.length && displayWidth(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const { segment } of graphemes.segment(start)) {
    const next = graphemeWidth(segment);
    if (used + next > width - 1) break;
    kept += segment;
    used += next;
  }
  return width < 1 ? '' : `${kept.trimEnd()}…`;
}

/** The text filled up with spaces to `width` cells. */
export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

/** A point in time as every command prints it: `2026-11-22 12:31:07Z`. */
export function utc(date: Date | null): string {
  return date === null ? '-' : `${date.toISOString().slice(0, 19).replace('T', ' ')}Z`;
}

/** A word of a command line, quoted where a shell needs it. */
export function shellWord(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
