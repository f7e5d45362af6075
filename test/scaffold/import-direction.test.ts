import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

// The house, room by room; a room may import from its own floor and the floors below. A path that ends in .ts is a room of one file.
const floors: Readonly<Record<string, number>> = {
  'src/cli': 6,
  'src/http': 6,
  'src/testing': 6,
  'src/module.ts': 5,
  'src/create-redrive.ts': 5,
  'src/redrive.ts': 5,
  'src/connections.ts': 5,
  'src/database-schemas.ts': 5,
  'src/job-desk.ts': 5,
  'src/start-checks.ts': 5,
  'src/health.ts': 5,
  'src/register-interceptors.ts': 5,
  'src/works.ts': 5,
  'src/index.ts': 5,
  'src/dispatch': 4,
  'src/worker': 4,
  'src/failure': 4,
  'src/tokens.ts': 3,
  'src/config': 3,
  'src/provider': 3,
  'src/interceptor': 3,
  'src/job': 3,
  'src/record': 2,
  'src/store': 1,
  'src/guard.ts': 0,
  'src/package-version.ts': 0,
  'src/logger.ts': 0,
  'src/duration.ts': 0,
  'src/clock.ts': 0,
  'src/errors.ts': 0,
};
const implementations = ['providers/database', 'providers/other', 'interceptors/log-failed-jobs', 'interceptors/other', 'migrations'];
const compositionRoots = ['src/module.ts', 'src/create-redrive.ts', 'src/cli', 'src/testing'];
const usersOfKnex = ['providers/database', 'interceptors/log-failed-jobs', 'migrations'];

const outside = ['bin', 'test', 'examples', 'bench', 'scripts'];

const rooms = [...Object.keys(floors), ...implementations];
const targets = [...rooms, ...outside];

function mayImport(from: string, to: string): boolean {
  if (outside.includes(to)) return false;
  // The failure record carries the job's JSON.
  if (from === 'src/record' && to === 'src/job') return true;
  if (implementations.includes(from)) return implementations.includes(to) || (floors[to] ?? 9) <= 3;
  if (implementations.includes(to)) return compositionRoots.includes(from);
  return (floors[to] ?? 9) <= (floors[from] ?? 0);
}

/** The file that stands for a room: `src/job` is `src/job/probe.ts`, or deeper with `folder`. */
function fileOf(room: string, folder = ''): string {
  return room.endsWith('.ts') ? room : join(room, folder, 'probe.ts');
}

function specifier(fromFile: string, toFile: string): string {
  const path = relative(dirname(fromFile), toFile);
  return path.startsWith('.') ? path : `./${path}`;
}

interface Diagnostic {
  readonly code: string;
  readonly filename: string;
  readonly labels: readonly { readonly span: { readonly line: number } }[];
}

async function lint(folder: string): Promise<readonly Diagnostic[]> {
  const oxlint = join(root, 'node_modules/oxlint/bin/oxlint');
  const output = await new Promise<string>((resolve) => {
    execFile(
      process.execPath,
      [oxlint, '--format=json', '-c', '.oxlintrc.json', '.'],
      { cwd: folder, maxBuffer: 64 << 20 },
      (_error, stdout) => resolve(stdout),
    );
  });
  return (JSON.parse(output) as { diagnostics: readonly Diagnostic[] }).diagnostics.filter((found) =>
    found.code.includes('no-restricted-imports'),
  );
}

let folder: string;
let caught: ReadonlySet<string>;

async function plant(file: string, lines: readonly string[]): Promise<void> {
  await mkdir(dirname(join(folder, file)), { recursive: true });
  await writeFile(join(folder, file), `${lines.join('\n')}\n`);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'redrive-lint-'));
  await writeFile(join(folder, '.oxlintrc.json'), await readFile(join(root, '.oxlintrc.json'), 'utf8'));
  for (const room of rooms) {
    const others = targets.filter((other) => other !== room);
    for (const file of new Set([fileOf(room), fileOf(room, 'deeper')])) {
      await plant(file, [
        ...others.map((other) => `import '${specifier(file, fileOf(other))}';`),
        `import type { Knex } from 'knex';`,
        `import { knex } from 'knex';`,
      ]);
    }
  }
  const found = await lint(folder);
  caught = new Set(found.map(({ filename, labels }) => `${filename}:${labels[0]?.span.line}`));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('lint holds the import direction', () => {
  test.each(rooms)('of %s, at any depth', (room) => {
    const others = targets.filter((other) => other !== room);
    for (const file of new Set([fileOf(room), fileOf(room, 'deeper')])) {
      const refused = others.filter((_, index) => caught.has(`${file}:${index + 1}`));
      expect(refused).toEqual(others.filter((other) => !mayImport(room, other)));
    }
  });

  test.each(rooms)('and who uses knex: %s', (room) => {
    const lineOfType = targets.length;
    expect(caught.has(`${fileOf(room)}:${lineOfType}`), 'its types').toBe(false);
    expect(caught.has(`${fileOf(room)}:${lineOfType + 1}`), 'its values').toBe(!usersOfKnex.includes(room));
  });

  test('every room of the house has its floor', async () => {
    const entries = await readdir(join(root, 'src'), { withFileTypes: true });
    const found = entries.filter((entry) => entry.isDirectory() || entry.name.endsWith('.ts')).map((entry) => `src/${entry.name}`);
    expect(found.filter((room) => !(room in floors))).toEqual([]);
  });
});

// The lint rule sees import declarations only; a dynamic import must keep the direction as well.
test('dynamic imports keep the import direction too', async () => {
  const files = (await readdir(join(root, 'src'), { recursive: true })).filter((file) => file.endsWith('.ts'));
  const wrong: string[] = [];
  for (const file of files.map((name) => join('src', name))) {
    for (const [, target = ''] of (await readFile(join(root, file), 'utf8')).matchAll(/\bimport\(\s*'(\.[^']+)'/g)) {
      const from = roomOf(file);
      const to = roomOf(join(dirname(file), target));
      if (from !== to && !mayImport(from, to)) wrong.push(`${file} imports ${target}`);
    }
  }
  expect(wrong).toEqual([]);
});

function roomOf(file: string): string {
  const [top = '', second = ''] = file.split('/');
  if (top === 'src') return `src/${second}`;
  if (outside.includes(top)) return top;
  const room = `${top}/${second}`;
  return usersOfKnex.find((known) => room === known || top === known) ?? `${top}/other`;
}
