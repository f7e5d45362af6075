/** Texts remembered: a program has few, but lists of different lengths make texts of their own. */
const mostRemembered = 1_000;
const remembered = new Map<string, string>();

/** What is quoted, which is left alone, or a placeholder. */
const quotedOrMark = /'(?:[^']|'')*'|"(?:[^"]|"")*"|\?/g;

/** A statement's text with `$1`, `$2`, ... in place of `?`, as PostgreSQL wants it. */
export function numbered(sql: string): string {
  const known = remembered.get(sql);
  if (known !== undefined) return known;
  let count = 0;
  const text = sql.replace(quotedOrMark, (found) => (found === '?' ? `$${++count}` : found));
  if (remembered.size >= mostRemembered) remembered.clear();
  remembered.set(sql, text);
  return text;
}
