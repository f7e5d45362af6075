// npm leaves a platform's binary out of package-lock.json where the registry in use does not offer it, and `npm ci`
// then refuses the lock file on every platform. This adds the missing entries, by name and version. Run it after
// every change of dependencies: `npm run lock`.
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));
const added = {};

for (const [parent, entry] of Object.entries(lock.packages)) {
  if (parent === '') continue;
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const found = `${parent}/node_modules/${name}` in lock.packages || `node_modules/${name}` in lock.packages;
    const platform = platformOf(name);
    if (found || platform === undefined || !/^\d/.test(version)) continue;
    added[`node_modules/${name}`] = {
      version,
      cpu: [platform.cpu],
      ...(entry.dev ? { dev: true } : {}),
      ...platform.libc,
      license: entry.license,
      optional: true,
      os: [platform.os],
    };
  }
}

const { '': root, ...rest } = lock.packages;
const sorted = Object.entries({ ...rest, ...added }).toSorted(([a], [b]) => a.localeCompare(b, 'en'));
lock.packages = { '': root, ...Object.fromEntries(sorted) };
if (Object.keys(added).length > 0) writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`package-lock.json: ${Object.keys(added).length} platform packages added`);

/** Reads `linux-arm64-musl` and the like off the end of a package's name. */
function platformOf(name) {
  const match = /(android|darwin|freebsd|linux|openharmony|win32)-(arm64|arm|ia32|ppc64|riscv64|s390x|x64)(?:-(gnu|musl)?\w*)?$/.exec(name);
  if (match === null) return undefined;
  const [, os, cpu, libc] = match;
  return { os, cpu, libc: os === 'linux' && libc !== undefined ? { libc: [libc === 'gnu' ? 'glibc' : 'musl'] } : {} };
}
