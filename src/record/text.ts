/** A text within its cap. */
export interface CutText {
  readonly text: string;
  /** True where something was left out. */
  readonly cut: boolean;
}

const unknownCharacter = '\uFFFD';
const surrogate = /[\uD800-\uDFFF]/;
const loneSurrogate = /\p{Surrogate}/gu;

/**
 * The text with NUL characters and lone surrogates replaced by U+FFFD, one for one.
 * PostgreSQL refuses NUL in a text, and no database keeps a lone surrogate.
 */
export function wellFormed(text: string): string {
  const clean = text.includes('\0') ? text.replaceAll('\0', unknownCharacter) : text;
  // Nearly all texts hold no surrogate at all, and this test is far cheaper than the Unicode class.
  return surrogate.test(clean) ? clean.replace(loneSurrogate, unknownCharacter) : clean;
}

/** What {@link cutMiddle} puts in place of what it cuts. */
export const cutMark = /…\[\d+ bytes cut\]…/;
/** What it may take, in bytes of UTF-8. */
const markBytes = 32;

/**
 * The text, well-formed, in at most `maxBytes` bytes of UTF-8. One that is too long loses its middle and says how many bytes are gone:
 * the beginning of a message or stack tells what happened, the end often why. No surrogate pair is split.
 * A `maxBytes` below the mark's own length leaves the mark alone.
 */
export function cutMiddle(text: string, maxBytes: number): CutText {
  // A UTF-16 unit takes one byte at least and three at most: most texts are decided by their length.
  if (text.length <= maxBytes) {
    const clean = wellFormed(text);
    if (clean.length * 3 <= maxBytes || Buffer.byteLength(clean) <= maxBytes) return { text: clean, cut: false };
  }
  const half = Math.max(0, Math.floor((maxBytes - markBytes) / 2));
  const head = headOf(text, half);
  const tail = half === 0 ? '' : tailOf(text, half);
  const bytes = Buffer.byteLength(text.slice(head.length, text.length - tail.length));
  return { text: `${head}…[${bytes} bytes cut]…${tail}`, cut: true };
}

const cleanAscii = /^[ !#-[\]-~]*$/;

/** How many bytes the text takes in JSON, quotes and escapes included. */
export function jsonBytes(text: string): number {
  return cleanAscii.test(text) ? text.length + 2 : Buffer.byteLength(JSON.stringify(text));
}

// Both go through bytes, which also copies: a slice would keep a text of megabytes alive. A pair that the slice
// splits becomes U+FFFD, longer than what it replaces, so the byte limit always falls inside it and drops it.

function headOf(text: string, maxBytes: number): string {
  const bytes = Buffer.from(wellFormed(text.slice(0, maxBytes)));
  let end = Math.min(maxBytes, bytes.length);
  while (end > 0 && isContinuation(bytes[end])) end -= 1;
  return bytes.toString('utf8', 0, end);
}

function tailOf(text: string, maxBytes: number): string {
  const bytes = Buffer.from(wellFormed(text.slice(-maxBytes)));
  let start = Math.max(0, bytes.length - maxBytes);
  while (start < bytes.length && isContinuation(bytes[start])) start += 1;
  return bytes.toString('utf8', start);
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
