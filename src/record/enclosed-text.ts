const openers = /["'`“‘«{[]/g;
const jsonStart = /(?:\{\s*["}]|\[\s*(?:["\d{[\]-]|true|false|null))/y;
/** A `'` or `’` within a word is an apostrophe. */
const closers: Readonly<Record<string, RegExp>> = {
  '"': /(?<!\\)"/g,
  "'": /(?<!\\)'(?![\p{L}\d_])/gu,
  '`': /(?<!\\)`/g,
  '“': /”/g,
  '‘': /’(?![\p{L}\d_])/gu,
  '«': /»/g,
};
const word = /[\p{L}\d_]/u;
/** Text that only looks like JSON is read to its end in vain; a hostile one could begin at every character. */
const maxVainReadings = 8;

/**
 * The text with JSON objects and arrays replaced by `<json>` and what stands in quotes by `<text>`, where they begin within the first
 * `within` characters, wherever they end. Linear: no search for an end is made in vain more than a few times.
 */
export function withoutEnclosed(text: string, within: number): string {
  const unclosed = new Set<string>();
  let vainReadings = 0;
  let result = '';
  let done = 0;
  openers.lastIndex = 0;
  for (let found = openers.exec(text); found !== null && found.index < within; found = openers.exec(text)) {
    const opener = found[0];
    const isJson = opener === '{' || opener === '[';
    let end: number | undefined;
    if (isJson && vainReadings < maxVainReadings && startsJson(text, found.index)) {
      end = endOfJson(text, found.index);
      if (end === undefined) vainReadings += 1;
    } else if (!isJson && !unclosed.has(opener) && !isApostrophe(text, found.index)) {
      end = endOfQuote(text, found.index);
      if (end === undefined) unclosed.add(opener);
    }
    if (end === undefined) continue;
    result += text.slice(done, found.index) + (isJson ? '<json>' : '<text>');
    done = end;
    openers.lastIndex = end;
  }
  return result + text.slice(done);
}

function startsJson(text: string, index: number): boolean {
  jsonStart.lastIndex = index;
  return jsonStart.test(text);
}

function endOfJson(text: string, start: number): number | undefined {
  let depth = 0;
  let inString = false;
  for (let index = start; index < text.length; index += 1) {
    const character = text[index];
    if (character === '\\') index += 1;
    else if (character === '"') inString = !inString;
    else if (inString) continue;
    else if (character === '{' || character === '[') depth += 1;
    else if ((character === '}' || character === ']') && (depth -= 1) === 0) return index + 1;
  }
  return undefined;
}

function isApostrophe(text: string, index: number): boolean {
  const opener = text[index];
  return (opener === "'" || opener === '‘') && index > 0 && word.test(text.charAt(index - 1));
}

function endOfQuote(text: string, start: number): number | undefined {
  const closer = closers[text.charAt(start)];
  if (closer === undefined) return undefined;
  closer.lastIndex = start + 1;
  const found = closer.exec(text);
  return found === null ? undefined : found.index + 1;
}
