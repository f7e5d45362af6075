import { readFileSync } from 'node:fs';

/** The package's version; `unknown` where its package.json cannot be read. That is one folder further up from the built file than from the source. */
export function packageVersion(): string {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      const found: unknown = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
      if (typeof found === 'object' && found !== null && 'version' in found && 'name' in found && found.name === 'redrive')
        return String(found.version);
    } catch {
      // Not here.
    }
  }
  return 'unknown';
}
