/** A request has room for 2,100, some of which the driver needs. */
export const mostParameters = 2_000;

/** What is quoted, which is left alone, or a placeholder. */
const quotedOrMark = /'(?:[^']|'')*'|\[(?:[^\]]|\]\])*\]|\?/g;

/** A request's text with `@p0`, `@p1`, ... in place of `?`, and the values that these stand for. */
export interface Parameters {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Puts names in place of `?`. Where there are more values than a request takes, whole numbers, of which long lists are, stand in the text. */
export function parametersOf(sql: string, bindings: readonly unknown[]): Parameters {
  const isTight = bindings.length > mostParameters;
  const values: unknown[] = [];
  let next = 0;
  const text = sql.replace(quotedOrMark, (found) => {
    if (found !== '?') return found;
    const value = bindings[next++];
    if (isTight && Number.isSafeInteger(value)) return String(value);
    values.push(value);
    return `@p${values.length - 1}`;
  });
  return { text, values };
}
