import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { rows } from '../../support/tables.ts';
import { documentOf, makeProject, type Project } from '../project.ts';

const steps = ['jobs_001_tables', 'failed_jobs_001_tables', 'failed_jobs_002_audit', 'failed_jobs_003_claims', 'failed_jobs_004_retries'];

async function withFailure(): Promise<Project> {
  const project = await makeProject();
  await project.redrive('dispatch', 'reports.nightly');
  await project.redrive('work', '--stop-when-empty');
  return project;
}

function tables(project: Project, name = 'app.db'): string[] {
  const query = `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name`;
  return rows<{ name: string }>(join(project.cwd, name), query).map((row) => row.name);
}

/** Makes a database that is not migrated, with a table of the application's. */
function foreignDatabase(project: Project, sql = ''): void {
  const database = new Database(join(project.cwd, 'app.db'));
  database.exec(`CREATE TABLE theirs (id INTEGER PRIMARY KEY); INSERT INTO theirs VALUES (1); ${sql}`);
  database.close();
}

describe('redrive migrate --status', () => {
  it('says which steps have run, and which are still to run', async () => {
    const project = await makeProject({ migrated: false });
    foreignDatabase(project);
    expect(await project.redrive('migrate', '--status')).toEqual({
      code: 0,
      stdout: `${steps.map((step) => `pending  ${step}\n`).join('')}${steps.length} step(s) to run: redrive migrate\n`,
      stderr: '',
    });
    expect(documentOf(await project.redrive('migrate', '--status', '--json'))).toEqual({ applied: [], pending: steps });
    expect(tables(project)).toEqual(['theirs']);
    await project.redrive('migrate');
    expect((await project.redrive('migrate', '--status')).stdout).toBe(
      `${steps.map((step) => `applied  ${step}\n`).join('')}Nothing to migrate.\n`,
    );
    expect(documentOf(await project.redrive('migrate', '--status', '--json'))).toEqual({ applied: steps, pending: [] });
  });

  it('leads to the database that it was asked about', async () => {
    const project = await makeProject({ migrated: false });
    foreignDatabase(project);
    expect((await project.redrive('migrate', '--status', '--database', 'app.db')).stdout).toContain('redrive migrate --database app.db\n');
  });

  it('exits 1 where the file is missing, and does not create it', async () => {
    const project = await makeProject({ migrated: false });
    expect(await project.redrive('migrate', '--status')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('STORE_MISSING'),
    });
    expect(existsSync(join(project.cwd, 'app.db'))).toBe(false);
  });
});

describe('redrive migrate --sql', () => {
  it('prints what migrate would run, for a file that is not there yet, and runs nothing', async () => {
    const project = await makeProject({ migrated: false });
    const { code, stdout, stderr } = await project.redrive('migrate', '--sql');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(existsSync(join(project.cwd, 'app.db'))).toBe(false);
    expect(stdout).toContain('-- jobs_001_tables\n');
    expect(stdout).not.toMatch(/^select|^pragma/im);
  });

  it('prints SQL that does what migrate does, bookkeeping included', async () => {
    const project = await makeProject({ migrated: false });
    foreignDatabase(project);
    const before = readFileSync(join(project.cwd, 'app.db'));
    const { stdout } = await project.redrive('migrate', '--sql');
    expect(readFileSync(join(project.cwd, 'app.db')).equals(before)).toBe(true);
    foreignDatabase({ ...project, cwd: mkdirWithin(project, 'by-hand') }, stdout);
    await project.redrive('migrate');
    const schema = `SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name`;
    expect(rows(join(project.cwd, 'by-hand/app.db'), schema)).toEqual(rows(join(project.cwd, 'app.db'), schema));
    expect(await project.redrive('migrate', '--database', 'by-hand/app.db')).toMatchObject({ code: 0, stdout: 'Nothing to migrate.\n' });
    const kept = `SELECT name, batch, typeof(migration_time) AS time FROM redrive_migrations`;
    expect(rows(join(project.cwd, 'by-hand/app.db'), kept)).toEqual(rows(join(project.cwd, 'app.db'), kept));
  });

  it('prints the steps of an upgrade alone where others have run', async () => {
    const project = await makeProject();
    new Database(join(project.cwd, 'app.db'))
      .exec(`DROP TABLE cbq_failed_jobs; DELETE FROM redrive_migrations WHERE name = 'failed_jobs_001_tables'`)
      .close();
    const { stdout } = await project.redrive('migrate', '--sql');
    expect(stdout).toContain('create table `cbq_failed_jobs`');
    expect(stdout).not.toContain('create table `redrive_jobs`');
    expect(stdout).not.toContain('create table `redrive_migrations`');
  });

  it('says that there is nothing to do', async () => {
    const project = await makeProject();
    expect((await project.redrive('migrate', '--sql')).stdout).toMatch(/^-- \S+app\.db: nothing to do\n$/);
  });

  it('prints the statements of each database and step with --json', async () => {
    const project = await makeProject({ migrated: false });
    expect(documentOf(await project.redrive('migrate', '--sql', '--json'))).toEqual({
      applied: [],
      pending: steps,
      databases: [
        {
          database: join(project.cwd, 'app.db'),
          steps: steps.map((name) => ({ name, statements: expect.arrayContaining([expect.stringContaining('create table')]) })),
          losses: [],
        },
      ],
    });
  });

  it('is refused like migrate itself where a table is in the way', async () => {
    const project = await makeProject({ migrated: false });
    foreignDatabase(project, 'CREATE TABLE redrive_jobs (id INTEGER)');
    expect(await project.redrive('migrate', '--sql')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/redrive_jobs is there already .*MIGRATION_FAILED/),
    });
  });
});

describe('redrive migrate --rollback', () => {
  it('drops every table of its own and nothing else, says which, and migrate makes them again', async () => {
    const project = await makeProject({ migrated: false });
    foreignDatabase(project);
    await project.redrive('migrate');
    const made = tables(project).filter((name) => name !== 'theirs');
    const { code, stdout, stderr } = await project.redrive('migrate', '--rollback');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.trimEnd().split('\n');
    expect(lines.filter((line) => line.startsWith('Dropped ')).toSorted()).toEqual(made.map((name) => `Dropped ${name}`));
    expect(lines.slice(-steps.length - 1)).toEqual([
      ...steps.toReversed().map((step) => `Rolled back ${step}`),
      `Rolled back ${steps.length} step(s).`,
    ]);
    expect(tables(project)).toEqual(['theirs']);
    expect(rows(join(project.cwd, 'app.db'), 'SELECT id FROM theirs')).toEqual([{ id: 1 }]);
    expect(await project.redrive('failed')).toMatchObject({ code: 1, stderr: expect.stringContaining('STORE_UNMIGRATED') });
    await project.redrive('migrate');
    expect(tables(project)).toEqual([...made, 'theirs'].toSorted());
  });

  it('drops nothing that holds rows where there is no terminal to ask on and no --yes', async () => {
    const project = await withFailure();
    const refused = await project.redrive('migrate', '--rollback');
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(
      /^redrive: This drops redrive_series \(1 row\(s\)\), redrive_groups \(1 row\(s\)\), cbq_failed_jobs \(1 row\(s\)\), .*: say --yes, since there is no terminal to ask on; nothing was done\n$/,
    );
    expect(refused.stderr).not.toContain('redrive_sequences');
    expect(documentOf(await project.redrive('failed', '--json'))).toMatchObject({ items: [{ id: 1 }] });
    expect(documentOf(await project.redrive('migrate', '--rollback', '--yes', '--json'))).toEqual({
      applied: [],
      pending: steps,
      rolledBack: steps.toReversed(),
    });
    expect(tables(project)).toEqual([]);
  });

  it('asks on a terminal, and does as it is told', async () => {
    const project = await withFailure();
    const no = await project.redriveWith({ columns: 80, stdin: 'n\n' }, 'migrate', '--rollback');
    expect(no).toMatchObject({ code: 1, stdout: 'Nothing was rolled back.\n', stderr: expect.stringMatching(/Go on\? \[y\/N\] $/) });
    expect(tables(project)).toContain('cbq_failed_jobs');
    expect(await project.redriveWith({ columns: 80, stdin: 'y\n' }, 'migrate', '--rollback')).toMatchObject({ code: 0 });
    expect(tables(project)).toEqual([]);
  });

  it('has nothing to do the second time', async () => {
    const project = await makeProject();
    await project.redrive('migrate', '--rollback');
    expect(await project.redrive('migrate', '--rollback')).toEqual({ code: 0, stdout: 'Nothing to roll back.\n', stderr: '' });
  });

  it('prints what it would run with --sql, and runs nothing', async () => {
    const project = await withFailure();
    const { code, stdout } = await project.redrive('migrate', '--rollback', '--sql');
    expect(code).toBe(0);
    expect(stdout).toContain('-- drops cbq_failed_jobs (1 row(s))\n');
    expect(stdout).toContain('drop table if exists `cbq_failed_jobs`;\n');
    expect(documentOf(await project.redrive('failed', '--json'))).toMatchObject({ items: [{ id: 1 }] });
  });

  it('leaves the rows that an old cbq wrote in its table, and says how much of that table goes', async () => {
    const project = await makeProject({ migrated: false });
    const columns =
      'id integer primary key, connection text, queue text, mapping text, memento text, properties text, exceptionType text, exceptionMessage text, exceptionDetail text, exceptionExtendedInfo text, exceptionStackTrace text, exception text, failedDate integer, originalId text';
    foreignDatabase(
      project,
      `CREATE TABLE cbq_failed_jobs (${columns}); INSERT INTO cbq_failed_jobs VALUES (7, 'c', 'q', 'm', '{}', '{}', 'T', 'M', '', '', '', '{}', 1700000000, NULL)`,
    );
    await project.redrive('migrate');
    const refused = await project.redrive('migrate', '--rollback');
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringMatching(/\d+ column\(s\) of cbq_failed_jobs \(1 row\(s\)\)/) });
    await project.redrive('migrate', '--rollback', '--yes');
    expect(tables(project)).toEqual(['cbq_failed_jobs', 'theirs']);
    expect(rows(join(project.cwd, 'app.db'), 'SELECT * FROM cbq_failed_jobs')).toEqual([
      expect.objectContaining({ id: 7, exceptionMessage: 'M' }),
    ]);
  });

  it('exits 1 where the file is missing', async () => {
    const project = await makeProject({ migrated: false });
    expect(await project.redrive('migrate', '--rollback', '--yes')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('STORE_MISSING'),
    });
  });
});

describe('redrive migrate', () => {
  it('makes all tables of a database or none', async () => {
    const project = await makeProject({ migrated: false });
    foreignDatabase(project, 'CREATE TABLE cbq_failed_jobs (precious TEXT)');
    expect(await project.redrive('migrate')).toMatchObject({ code: 1, stderr: expect.stringContaining('MIGRATION_FAILED') });
    expect(tables(project)).toEqual(['cbq_failed_jobs', 'theirs']);
  });
});

describe('redrive migrate on several databases', () => {
  const config = `
    import { defineConfig } from 'redrive';
    import { DatabaseProvider } from 'redrive/providers/database';
    const at = (name) => ({ client: 'better-sqlite3', connection: { filename: new URL(name, import.meta.url).pathname } });
    export default defineConfig({
      connections: { one: { provider: DatabaseProvider, properties: at('jobs.db') }, two: { provider: DatabaseProvider, properties: at('jobs.db') } },
      logFailedJobs: true,
      logFailedJobsProperties: { datasource: at('log.db') },
    });`;

  it('gives each its own tables once, and takes them all back', async () => {
    const project = await makeProject({ migrated: false, config });
    expect(documentOf(await project.redrive('migrate', '--json'))).toEqual({ applied: steps, pending: [] });
    expect(tables(project, 'jobs.db')).not.toContain('cbq_failed_jobs');
    expect(tables(project, 'log.db')).not.toContain('redrive_jobs');
    expect(documentOf(await project.redrive('migrate', '--status', '--json'))).toEqual({ applied: steps, pending: [] });
    expect((await project.redrive('migrate', '--rollback', '--sql')).stdout.match(/^BEGIN;$/gm)).toHaveLength(2);
    expect(documentOf(await project.redrive('migrate', '--rollback', '--json'))).toMatchObject({ rolledBack: steps.toReversed() });
    expect([tables(project, 'jobs.db'), tables(project, 'log.db')]).toEqual([[], []]);
  });
});

function mkdirWithin(project: Project, name: string): string {
  const path = join(project.cwd, name);
  mkdirSync(path);
  return path;
}
