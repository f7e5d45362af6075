import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { displayWidth } from '../../../src/cli/text.ts';
import { Terminal, type Ran } from '../terminal.ts';

interface Folder {
  readonly cwd: string;
  redrive(...argv: string[]): Promise<Ran>;
  read(name: string): string;
}

/** A project in which nobody has heard of Redrive yet, with these files. */
function makeFolder(files: Readonly<Record<string, string>> = { 'package.json': '{\n  "name": "app"\n}\n' }): Folder {
  const cwd = mkdtempSync(join(tmpdir(), 'redrive-init-'));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true });
    writeFileSync(join(cwd, name), text);
  }
  return {
    cwd,
    redrive: (...argv) => new Terminal({ cwd }).run(...argv),
    read: (name) => readFileSync(join(cwd, name), 'utf8'),
  };
}

function mend(folder: Folder): void {
  writeFileSync(join(folder.cwd, 'jobs/example.ts'), folder.read('jobs/example.ts').replace('repaired = false', 'repaired = true'));
}

async function itemsOf(folder: Folder, ...flags: string[]): Promise<unknown> {
  return (JSON.parse((await folder.redrive('failed', '--json', ...flags)).stdout) as { items: unknown }).items;
}

describe('redrive init', () => {
  it('leads from an empty project to a first failed job and its retry in five commands', async () => {
    const folder = makeFolder();
    const five = ['init', 'migrate', 'dispatch example', 'work --stop-when-empty', 'retry 1'];
    const codes: number[] = [];
    for (const command of five.slice(0, 4)) codes.push((await folder.redrive(...command.split(' '))).code);
    expect(await itemsOf(folder)).toMatchObject([
      { id: 1, job: 'example', attempts: 2, message: 'Broken on purpose: set repaired to true in jobs/example.ts' },
    ]);
    mend(folder);
    codes.push((await folder.redrive(...five[4]!.split(' '))).code);
    expect(codes).toEqual([0, 0, 0, 0, 0]);

    expect(await folder.redrive('work', '--stop-when-empty')).toMatchObject({
      code: 0,
      stdout: '1 completed, 0 attempt(s) failed, 0 job(s) failed.\n',
    });
    expect(await itemsOf(folder, '--status', 'any')).toMatchObject([{ id: 1, status: 'resolved' }]);
  });

  it('fails the example again where it was retried without being mended', async () => {
    const folder = makeFolder();
    for (const command of ['init', 'migrate', 'dispatch example', 'work --stop-when-empty', 'retry 1', 'work --stop-when-empty'])
      await folder.redrive(...command.split(' '));
    expect(await itemsOf(folder)).toMatchObject([{ id: 1, run: 2, status: 'failed' }]);
  });

  it('prints what it wrote and the next commands, in 80 columns, each of which is one', async () => {
    const folder = makeFolder();
    const { code, stdout, stderr } = await folder.redrive('init');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const line of stdout.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(80);
    expect(stdout).toMatch(
      /^Wrote jobs\/example\.ts\.\nWrote redrive\.config\.ts\.\nAdded to package\.json the scripts redrive:work and redrive:failed\.\n/,
    );
    const next = [...stdout.matchAll(/^ {2}npx redrive (.*?)(?: {2,}.*)?$/gm)].map(([, command]) => command!);
    expect(next).toHaveLength(5);
    for (const command of next) expect(await folder.redrive(...command.split(' '))).toMatchObject({ code: 0 });
  });

  it('overwrites nothing, says what it left alone, and does what is left to do', async () => {
    const mine = {
      'package.json': '{"scripts":{"redrive:work":"mine"}}',
      'redrive.config.ts': 'export default { mine: true };\n',
      'jobs/example.ts': '// mine\n',
    };
    const folder = makeFolder(mine);
    const { code, stdout } = await folder.redrive('init');
    expect(code).toBe(0);
    expect(stdout).toContain(
      'Left jobs/example.ts as it was.\nLeft redrive.config.ts as it was.\nLeft in package.json the script redrive:work as it was.\n',
    );
    expect(stdout).toContain('Added to package.json the script redrive:failed.\n');
    expect(folder.read('redrive.config.ts')).toBe(mine['redrive.config.ts']);
    expect(folder.read('jobs/example.ts')).toBe(mine['jobs/example.ts']);
    expect(JSON.parse(folder.read('package.json'))).toEqual({ scripts: { 'redrive:work': 'mine', 'redrive:failed': 'redrive failed' } });
  });

  it('changes nothing at all the second time', async () => {
    const folder = makeFolder();
    await folder.redrive('init');
    const before = ['package.json', 'redrive.config.ts', 'jobs/example.ts'].map((name) => folder.read(name));
    const { code, stdout } = await folder.redrive('init', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ written: [], kept: ['jobs/example.ts', 'redrive.config.ts'], scripts: { added: [] } });
    expect(['package.json', 'redrive.config.ts', 'jobs/example.ts'].map((name) => folder.read(name))).toEqual(before);
  });

  it('leaves a config of another name alone, which a new one would hide, and says how to use the example', async () => {
    const folder = makeFolder({ 'package.json': '{}', 'redrive.config.mjs': 'export default {};\n' });
    const { stdout } = await folder.redrive('init');
    expect(stdout).toContain('Left redrive.config.mjs as it was.\n');
    expect(stdout).toContain('To use the example job, add it to the jobs of redrive.config.mjs.\n');
    expect(readdirSync(folder.cwd).toSorted()).toEqual(['jobs', 'package.json', 'redrive.config.mjs']);
  });

  it('imports no example from a file that has none', async () => {
    const folder = makeFolder({ 'package.json': '{}', 'jobs/example.ts': 'export const other = 1;\n' });
    expect((await folder.redrive('init')).stdout).toContain(
      'jobs/example.ts exports no job named example; add your own jobs to redrive.config.ts.\n',
    );
    expect(folder.read('redrive.config.ts')).not.toContain('example');
    expect(await folder.redrive('migrate')).toMatchObject({ code: 0 });
  });

  it.each([
    ['plain JavaScript', {}, './jobs/example.ts', 'import.meta.dirname'],
    ['TypeScript', { 'package.json': '{"type":"module"}', 'tsconfig.json': '{}' }, './jobs/example.js', 'import.meta.dirname'],
    ['TypeScript that becomes CommonJS', { 'tsconfig.json': '{}' }, './jobs/example.js', '__dirname'],
  ])('writes in %s what its tools understand, with the database beside the config', async (_kind, files, specifier, dirname) => {
    const folder = makeFolder({ 'package.json': '{}', ...files });
    await folder.redrive('init');
    expect(folder.read('redrive.config.ts')).toContain(`from '${specifier}'`);
    expect(folder.read('redrive.config.ts')).toContain(`filename: \`\${${dirname}}/redrive.db\``);
    await folder.redrive('migrate');
    expect(await folder.redrive('dispatch', 'example')).toMatchObject({ code: 0 });
    expect(existsSync(join(folder.cwd, 'redrive.db'))).toBe(true);
  });

  it('writes the config where --config says, and names it in the scripts and the next commands', async () => {
    const folder = makeFolder();
    const { code, stdout } = await folder.redrive('init', '--config', 'ops/redrive.mjs');
    expect(code).toBe(0);
    expect(stdout).toContain('npx redrive migrate --config ops/redrive.mjs');
    expect(JSON.parse(folder.read('package.json'))).toMatchObject({ scripts: { 'redrive:work': 'redrive work --config ops/redrive.mjs' } });
    expect(existsSync(join(folder.cwd, 'redrive.config.ts'))).toBe(false);
    await folder.redrive('migrate', '--config', 'ops/redrive.mjs');
    expect(await folder.redrive('dispatch', '--config', 'ops/redrive.mjs', 'example')).toMatchObject({ code: 0 });
    expect(await folder.redrive('init', '--config', 'redrive.json')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('.ts, .mts, .js, .mjs'),
    });
  });

  it('prints what it did as one document with --json', async () => {
    const folder = makeFolder({ 'package.json': '{"devDependencies":{"redrive":"*"}}' });
    const { stdout, stderr } = await folder.redrive('init', '--json');
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      written: ['jobs/example.ts', 'redrive.config.ts', 'package.json'],
      kept: [],
      scripts: { added: ['redrive:work', 'redrive:failed'], kept: [] },
      next: [
        'npx redrive migrate',
        'npx redrive dispatch example',
        'npx redrive work --stop-when-empty',
        'npx redrive failed show 1',
        'npx redrive retry 1',
      ],
    });
  });

  it('says where redrive is not among the dependencies yet', async () => {
    const said = 'package.json does not list redrive yet; install it in this project.\n';
    expect((await makeFolder().redrive('init')).stdout).toContain(said);
    expect((await makeFolder({ 'package.json': '{"dependencies":{"redrive":"^0.1.0"}}' }).redrive('init')).stdout).not.toContain(said);
  });

  it('writes nothing without a package.json, and says how to get one', async () => {
    const folder = makeFolder({});
    const { code, stdout, stderr } = await folder.redrive('init');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /^redrive: there is no package\.json in .*: make a project first, with npm init -y \(PACKAGE_JSON_UNUSABLE\)\n$/,
    );
    expect(readdirSync(folder.cwd)).toEqual([]);
  });

  it.each([['{ "name": '], ['"text"'], ['{"scripts":"none"}']])('writes nothing beside the package.json %j', async (text) => {
    const folder = makeFolder({ 'package.json': text });
    const { code, stderr } = await folder.redrive('init');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^redrive: package\.json cannot be used: [^\n]*\n$/);
    expect(readdirSync(folder.cwd)).toEqual(['package.json']);
    expect(folder.read('package.json')).toBe(text);
  });

  it('says in one line what could not be written', async () => {
    const folder = makeFolder({ 'package.json': '{}', jobs: 'a file of that name\n' });
    const { code, stderr } = await folder.redrive('init');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^redrive: [^\n]*jobs[^\n]*\n$/);
    expect(existsSync(join(folder.cwd, 'redrive.config.ts'))).toBe(false);
  });
});
