/** What stands in a package.json. */
export type Manifest = Readonly<Record<string, unknown>>;

/** package.json as it is to be written, and what became of each script. */
export interface AddedScripts {
  readonly text: string;
  readonly manifest: Manifest;
  readonly added: readonly string[];
  /** Scripts that were there already, whatever they run. */
  readonly kept: readonly string[];
}

/**
 * Adds scripts to the text of a package.json, keeping its indentation and line ends. Throws for what is no package.json,
 * with a message that says so.
 */
export function addScripts(text: string, scripts: Readonly<Record<string, string>>): AddedScripts {
  const parsed = parseObject(text.replace(/^\uFEFF/, ''), 'it');
  const present = parsed['scripts'] === undefined ? {} : objectOf(parsed['scripts'], 'its "scripts"');
  const added = Object.keys(scripts).filter((name) => !(name in present));
  const kept = Object.keys(scripts).filter((name) => name in present);
  if (added.length === 0) return { text, manifest: parsed, added, kept };
  const all = { ...present, ...Object.fromEntries(added.map((name) => [name, scripts[name]])) };
  return { text: inTheStyleOf(text, { ...parsed, scripts: all }), manifest: parsed, added, kept };
}

function parseObject(text: string, what: string): Manifest {
  try {
    return objectOf(JSON.parse(text), what);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new Error(`${what} is not JSON: ${error.message}`, { cause: error });
  }
}

function objectOf(value: unknown, what: string): Manifest {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Manifest;
  throw new Error(`${what} is no JSON object`);
}

function inTheStyleOf(text: string, value: unknown): string {
  const indent = /^[{\s]*?\n([ \t]+)"/.exec(text)?.[1] ?? '  ';
  const lines = JSON.stringify(value, null, indent);
  const end = /\s*$/.exec(text)?.[0] ?? '';
  const mark = text.startsWith('\uFEFF') ? '\uFEFF' : '';
  return `${mark}${text.includes('\r\n') ? lines.replaceAll('\n', '\r\n') : lines}${end}`;
}
