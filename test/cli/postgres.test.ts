import { describe, expect, it, onTestFinished } from 'vitest';
import { databaseProperties, shownDatabase } from '../../src/cli/database-flag.ts';
import { withServer } from '../support/servers.ts';
import { documentOf, dispatched, makeProject } from './project.ts';
import { redrive } from './terminal.ts';

describe('what --database names', () => {
  it.each([
    ['postgres://app:secret@db:5433/app', { client: 'pg', connection: 'postgres://app:secret@db:5433/app' }],
    [
      'PostgreSQL://db/app?schema=jobs&prefix=my_&sslmode=require',
      { client: 'pg', connection: 'postgresql://db/app?sslmode=require', schema: 'jobs', prefix: 'my_' },
    ],
    ['app.db', { client: 'better-sqlite3', connection: { filename: '/there/app.db' } }],
  ])('%s', (text, properties) => expect(databaseProperties(text, '/there')).toEqual(properties));

  it('is printed without its password', () => {
    expect(shownDatabase('postgres://app:secret@db/app?schema=jobs')).toBe('postgres://app:***@db/app?schema=jobs');
    expect(shownDatabase('postgres://db/app?password=secret')).toBe('postgres://db/app?password=***');
    expect(shownDatabase('app.db')).toBe('app.db');
  });
});

await withServer('postgres', ({ config, knex: admin }) => {
  const { host, port, user, database } = config.connection;
  const server = `postgres://${user}:secret@${host}:${port}/${database}`;
  let made = 0;

  /** A project whose config leads to a schema of its own, and the URL that does. */
  async function setup(options: { migrated?: boolean } = {}) {
    const schema = `cli_${++made}`;
    onTestFinished(() => admin.raw('DROP SCHEMA IF EXISTS ?? CASCADE', [schema]));
    const project = await makeProject({
      migrated: options.migrated !== false,
      config: `
import { defineConfig, defineJob } from 'redrive';
import { DatabaseProvider } from 'redrive/providers/database';
const failing = defineJob({ name: 'failing', handle: () => { throw new TypeError('always'); } });
export default defineConfig({
  connections: { main: { provider: DatabaseProvider, properties: { client: 'pg', connection: ${JSON.stringify(config.connection)}, schema: '${schema}' } } },
  workerPools: { pool: { connection: 'main' } },
  jobs: [failing],
  logFailedJobs: true,
});
`,
    });
    return { project, schema, url: `${server}?schema=${schema}` };
  }

  describe('redrive on PostgreSQL', () => {
    it('migrates, shows the steps and their SQL, and rolls back', async () => {
      const { project, url, schema } = await setup({ migrated: false });
      const refused = await project.redrive('stats');
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('run "redrive migrate"') as string });
      const planned = await project.redrive('migrate', '--sql');
      expect(planned).toMatchObject({ code: 0, stdout: expect.stringContaining('create table "redrive_jobs"') as string });
      expect(await admin('information_schema.tables').where({ table_schema: schema })).toEqual([]);
      expect(await project.redrive('migrate')).toMatchObject({ code: 0 });
      const status = documentOf(await redrive(['migrate', '--status', '--json', '--database', url])) as { pending: string[] };
      expect(status.pending).toEqual([]);
      expect(await project.redrive('migrate', '--rollback', '--yes')).toMatchObject({ code: 0 });
      expect(await admin('information_schema.tables').where({ table_schema: schema })).toEqual([]);
    });

    it('works, and an operator with only a URL finds the failure, retries and forgets it', async () => {
      const { project, url } = await setup();
      const id = await dispatched(project, 'failing');
      expect(await project.redrive('work', '--stop-when-empty')).toMatchObject({ code: 0 });
      const on = (...argv: string[]) => redrive([...argv, '--database', url]);
      expect(documentOf(await on('failed', '--json'))).toMatchObject({ items: [{ jobId: id, type: 'TypeError', message: 'always' }] });
      expect(await on('failed', 'show', id)).toMatchObject({ code: 0, stdout: expect.stringContaining('TypeError: always') as string });
      expect(documentOf(await on('retry', id, '--json'))).toMatchObject({ requeued: 1 });
      expect(documentOf(await on('status', id, '--json'))).toMatchObject({ id, status: 'queued' });
      await project.redrive('work', '--stop-when-empty');
      expect(documentOf(await on('stats', '--json'))).toMatchObject([{ queue: 'default', failed: 1, ready: 0 }]);
      expect(documentOf(await on('forget', id, '--json', '--yes'))).toMatchObject({ removed: 1 });
      expect(documentOf(await on('failed', '--json'))).toMatchObject({ items: [] });
    });

    it('never prints the password', async () => {
      const { url } = await setup();
      for (const argv of [['failed'], ['migrate', '--status'], ['status', 'none'], ['stats', '--verbose'], ['migrate', '--sql']]) {
        const { stdout, stderr } = await redrive([...argv, '--database', url]);
        expect(stdout + stderr).not.toContain('secret');
      }
      const away = await redrive(['failed', '--database', `postgres://${user}:secret@127.0.0.1:9/app`]);
      expect(away).toMatchObject({ code: 1, stderr: expect.stringContaining('STORE_UNREACHABLE') as string });
      expect(away.stdout + away.stderr).not.toContain('secret');
    });
  });
});
