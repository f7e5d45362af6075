import { withoutEnclosed } from './enclosed-text.ts';

/** How much is read at each end of a message, which may be 64 KiB long. */
const windowLength = 4_096;
/** How much of the result is kept at each end: less than a window, so that a longer number in front does not shift the end. */
const keptLength = 1_024;

const month = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}';
const weekday = '(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},? )?';
const timeOfDay = '\\d{1,2}:\\d{2}(?::\\d{2}(?:[.,]\\d{1,9})?)?(?: \\d{4}\\b)?';
const zone = '(?: ?(?:Z|UTC|GMT|[A-Z]{2,4}T)(?:[+-]\\d{2}:?\\d{2})?| ?[+-]\\d{2}:?\\d{2})?(?: \\([A-Z][^()]{1,40}\\))?';

const addressPattern = /\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b/g;

/**
 * In the order in which they are applied. Every quantifier that could meet a long run is bounded, or its pattern cannot begin again
 * within the run: a hostile message must take no longer than another.
 */
const placeholders: readonly (readonly [RegExp, string])[] = [
  [/\s+/g, ' '],
  // `Key (email)=(ann@example.com) already exists.`, as PostgreSQL has it: what differs is in the second brackets.
  [/=\([^()]{1,256}\)/g, '=(<text>)'],
  [/\b(?:data:[\w/+.-]{0,64}[;,]|[a-z][a-z\d+.-]{1,20}:\/\/)[^\s"'`<>]+/gi, '<url>'],
  [/(?<![^\s<>()[\],;:"'=])[^\s@<>()[\],;:"'=]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}\.[a-z]{2,24}\b/gi, '<email>'],
  [new RegExp(`\\b\\d{4}-\\d{2}-\\d{2}(?:[T ]${timeOfDay}${zone})?`, 'g'), '<date>'],
  [
    new RegExp(`\\b${weekday}(?:\\d{1,2}[ -]${month}[ -]\\d{2,4}|${month} \\d{1,2}\\b(?:,? \\d{4}\\b)?)(?:,? ${timeOfDay}${zone})?`, 'g'),
    '<date>',
  ],
  [/\b\d{1,2}:\d{2}:\d{2}(?:[.,]\d{1,9})?\b/g, '<date>'],
  [/(?<![\w.)\]>\\/])(?:[a-z]:[\\/]|\\\\|~\/|\.{1,2}\/|\/)[^\s"'`<>|*?:,;()[\]{}]+/gi, '<path>'],
  [addressPattern, '#'],
  [/(?<![\w:])(?=[\da-f:]*\d)(?:[\da-f]{0,4}:){2,7}[\da-f]{0,4}(?![\w:])/gi, '#'],
  [/(?<![a-z\d])[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}(?![a-z\d])/gi, '#'],
  // Before hex, which could take the digits behind the point together with the `e` of an exponent.
  [/(?:(?<![\w)\]#>])[-+])?(?<![\w./])\d+\.\d+(?:e[-+]?\d+)?(?![\w.])/gi, '#'],
  [/(?<![a-z\d])(?!\d+(?![a-z\d]))(?:0x[\da-f]+|[\da-f]{7,})(?![a-z\d])/gi, '#'],
  // Ids such as `9s6XKzkNRiz8i3` or a ULID: letters and digits in turns, which no word has.
  [/(?<![a-z\d])(?=[a-z\d]*\d[a-z]+\d)[a-z\d]{8,}(?![a-z\d])={0,2}/gi, '#'],
];

/** Names with slashes between: a path that begins nowhere, a repository, a branch. */
const slashed = /(?<![\p{L}\w.@/:>)-])[\p{L}\w.@-]{1,100}(?:\/[\p{L}\w.@+-]{0,99}[\p{L}\w]){1,30}/gu;
/** What is written with a slash and is no name: media types, `HTTP/1.1`, fractions, `and/or`, `TCP/IP`. */
const noName = /^(?:(?:application|audio|font|image|message|model|multipart|text|video|https?)\/|[\d/.]+$|\p{L}{1,3}\/\p{L}{1,3}$)/iu;

/** HTTP statuses and exit codes are words for a cause, not quantities; all other numbers go. */
const keptCode =
  /\b(?:status(?:[ _-]?code)?|http(?:\/\d(?:\.\d)?)?)[ :=]{0,3}[1-5]\d\d(?!\w|\.\d)|\bexit(?:ed)?(?: with)?(?: (?:code|status))?[ :=]{0,3}\d{1,3}(?!\w)/;
const number = /(?:(?<![\w)\]#>])[-+])?\d+(?:[.,_]\d+)*(?:e[-+]?\d+(?![a-z]))?/;
const keptOrNumber = new RegExp(`(${keptCode.source})|${number.source}`, 'gi');
/** `1, 2, 3` and `1-5` are one; how many there are differs as the numbers do. */
const numberList = /#(?:[ .,;:_/…-]{0,3}#)+/g;

/**
 * A message without what differs from one failure to the next, so that failures of one cause have equal texts:
 *
 * | what | becomes |
 * |---|---|
 * | numbers and lists of them, UUIDs, hex of 7 and more, ids that mix letters and digits, IP addresses | `#` |
 * | ISO and RFC dates, times of day | `<date>` |
 * | text in quotes | `<text>` |
 * | JSON objects and arrays | `<json>` |
 * | URLs, e-mail addresses | `<url>`, `<email>` |
 * | file paths, and names with slashes such as repositories and branches | `<path>` |
 * | the value in PostgreSQL's `Key (email)=(...)` | `<text>` |
 *
 * HTTP statuses (`status code 404`) and exit codes stay. Of a message longer than 8 KiB the first and the last 4 KiB are read, JSON and
 * quotes that begin there to their end; of the result the first and the last 1 KiB are kept.
 */
export function normaliseMessage(message: string): string {
  let normal = withoutEnclosed(message, 2 * windowLength);
  if (normal.length > 2 * windowLength) {
    normal = `${normal.slice(0, windowLength)} … ${withoutEnclosed(normal.slice(-windowLength), windowLength)}`;
  }
  for (const [pattern, placeholder] of placeholders) {
    // Once URLs, addresses and dates are gone, and before numbers, of which names are full.
    if (pattern === addressPattern) normal = normal.replace(slashed, (found) => (noName.test(found) ? found : '<path>'));
    normal = normal.replace(pattern, placeholder);
  }
  normal = normal
    .replace(keptOrNumber, (_, kept: string | undefined) => kept ?? '#')
    .replace(numberList, '#')
    .trim();
  return normal.length <= 2 * keptLength ? normal : `${normal.slice(0, keptLength)}…${normal.slice(-keptLength)}`;
}
