import type { Readable } from 'node:stream';

/** One line of a file; `text` undefined where it cannot be used, with the reason. */
export type ByteLine =
  | { readonly number: number; readonly text: string }
  | { readonly number: number; readonly text: undefined; readonly reason: string };

/** A longer line is passed over unread, so that a file without line ends does not fill the memory. */
const longestLineBytes = 64 * 1024 * 1024;
const newline = 0x0a;

/**
 * The lines of a stream, without their ends, as many at a time as arrived at once. Only LF ends a line: U+2028 and a lone CR may stand inside of JSON, where
 * Node's readline would cut. Bytes that are not UTF-8 are reported, never replaced.
 */
export async function* byteLines(stream: Readable, limit = longestLineBytes): AsyncGenerator<readonly ByteLine[]> {
  let parts: Buffer[] = [];
  let length = 0;
  let number = 1;
  const take = (part: Buffer): void => {
    length += part.length;
    if (length <= limit) parts.push(part);
    else parts = [];
  };
  const end = (): ByteLine => {
    const line = length > limit ? refused(number, `the line is longer than ${limit} bytes`) : decode(number, Buffer.concat(parts));
    parts = [];
    length = 0;
    number += 1;
    return line;
  };
  for await (const chunk of stream) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Buffer);
    const lines: ByteLine[] = [];
    let start = 0;
    for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, start)) {
      take(bytes.subarray(start, at));
      lines.push(end());
      start = at + 1;
    }
    if (start < bytes.length) take(bytes.subarray(start));
    if (lines.length > 0) yield lines;
  }
  if (length > 0) yield [end()];
}

function decode(number: number, bytes: Buffer): ByteLine {
  try {
    // Takes a byte order mark off, too.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return { number, text: text.endsWith('\r') ? text.slice(0, -1) : text };
  } catch {
    return refused(number, 'the line is not valid UTF-8');
  }
}

function refused(number: number, reason: string): ByteLine {
  return { number, text: undefined, reason };
}
