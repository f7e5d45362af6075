/** Something wrong, at a place below the value that was looked at. */
export interface Finding {
  readonly path: readonly PropertyKey[];
  readonly text: string;
}

/** A finding about the very value that was looked at. */
export function here(text: string): Finding {
  return { path: [], text };
}

/** The same findings, seen from the value that holds this one under `key`. */
export function below(key: PropertyKey, findings: readonly Finding[]): Finding[] {
  return findings.map(({ path, text }) => ({ path: [key, ...path], text }));
}

/** `workerPools.mail.queues[1]`; keys that are no plain words stand in brackets and quotes. */
export function pathText(path: readonly PropertyKey[], root = ''): string {
  return path.reduce<string>((text, key) => text + segment(key, text === ''), root);
}

function segment(key: PropertyKey, first: boolean): string {
  if (typeof key === 'number') return `[${key}]`;
  if (typeof key === 'symbol') return `[${String(key)}]`;
  if (!/^[\p{L}_$][\p{L}\p{N}_$-]*$/u.test(key)) return `[${JSON.stringify(key)}]`;
  return first ? key : `.${key}`;
}
