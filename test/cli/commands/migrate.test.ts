import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { documentOf, makeProject } from '../project.ts';

describe('redrive migrate', () => {
  it('creates the file and the tables, prints each step, and has nothing to do the second time', async () => {
    const project = await makeProject({ migrated: false });
    expect(await project.redrive('migrate')).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^(Applied \w+\n)+Applied \d+ step\(s\)\.\n$/),
    });
    expect(await project.redrive('migrate')).toEqual({ code: 0, stdout: 'Nothing to migrate.\n', stderr: '' });
  });

  it('prints what was applied as one document with --json, and on a terminal which step runs', async () => {
    const project = await makeProject({ migrated: false });
    const ran = await project.redriveWith({ columns: 80 }, 'migrate', '--json');
    expect(documentOf(ran)).toEqual({ applied: expect.arrayContaining([expect.any(String)]), pending: [] });
    expect(ran.stderr).toMatch(/\[KMigrating \w+ {2}\[\.+\] +0% {2}0 of \d\r/);
    expect(documentOf(await project.redrive('migrate', '--json'))).toEqual({ applied: [], pending: [] });
  });

  it('needs no config where the database is named', async () => {
    const project = await makeProject({ migrated: false });
    expect(await project.redrive('migrate', '--database', 'other.db')).toMatchObject({ code: 0 });
    expect(existsSync(join(project.cwd, 'other.db'))).toBe(true);
    expect(existsSync(join(project.cwd, 'app.db'))).toBe(false);
  });

  it('exits 2 without a config, and 1 for a file that is no database', async () => {
    const project = await makeProject();
    expect(await project.redrive('migrate', '--config', 'none.ts')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('CONFIG_NOT_FOUND'),
    });
    project.write('notes.db', 'these are notes, '.repeat(100));
    expect(await project.redrive('migrate', '--database', 'notes.db')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('STORE_NOT_A_DATABASE'),
    });
  });
});
