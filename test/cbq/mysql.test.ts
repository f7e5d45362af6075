import { describe, expect, it, onTestFinished } from 'vitest';
import { defineJob } from '../../src/index.ts';
import { databaseRedrive } from '../support/database-redrive.ts';
import { makeDatabase, withServer, type TestDatabase } from '../support/servers.ts';
import { publishedColumns, realisticRows } from './published-table.ts';

// As cbq's guide has it for MySQL: NVARCHAR there is an alphabet without some letters, and 255 of them.
const columns = `\`id\` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  \`connection\` NVARCHAR(255) NOT NULL,
  \`queue\` NVARCHAR(255) NOT NULL,
  \`mapping\` NVARCHAR(255) NOT NULL,
  \`memento\` LONGTEXT NOT NULL,
  \`properties\` LONGTEXT NOT NULL,
  \`exceptionType\` NVARCHAR(255),
  \`exceptionMessage\` NVARCHAR(255) NOT NULL,
  \`exceptionDetail\` NVARCHAR(255),
  \`exceptionExtendedInfo\` LONGTEXT,
  \`exceptionStackTrace\` LONGTEXT NOT NULL,
  \`exception\` LONGTEXT NOT NULL`;

const shapes = {
  'as first published: a timestamp': `${columns}, \`failedDate\` TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP`,
  'a timestamp and the numeric originalId of cbq_jobs': `${columns}, \`failedDate\` TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, \`originalId\` BIGINT UNSIGNED`,
  'unix seconds and a text originalId, as last published': `${columns}, \`originalId\` NVARCHAR(255), \`failedDate\` INT UNSIGNED NOT NULL`,
} as const;

async function setup(shape: string): Promise<TestDatabase> {
  const database = await makeDatabase('mysql');
  onTestFinished(() => database.drop());
  await database.knex.raw(`CREATE TABLE cbq_failed_jobs (${shape}) DEFAULT CHARACTER SET utf8mb4`);
  for (const { failedAt, originalId, ...row } of realisticRows) {
    const failedDate = shape.includes('TIMESTAMP') ? database.knex.raw('FROM_UNIXTIME(?)', [failedAt]) : failedAt;
    await database.knex('cbq_failed_jobs').insert({ ...row, failedDate, ...(shape.includes('originalId') ? { originalId } : {}) });
  }
  return database;
}

/** Every letter of the published columns. */
async function published({ knex }: TestDatabase, shape: string): Promise<unknown> {
  const names = shape.includes('originalId') ? [...publishedColumns, 'originalId'] : publishedColumns;
  const selected = names.map((name) => `HEX(CONVERT(\`${name}\` USING utf8mb4)) AS \`${name}\``);
  return knex('cbq_failed_jobs')
    .select(knex.raw(selected.join(', ')))
    .orderBy('id');
}

await withServer('mysql', () => {
  describe.each(Object.entries(shapes))("cbq's table on MySQL (%s)", (_name, shape) => {
    it('is upgraded where it stands, with its rows kept, holds any failure, and is given back', async () => {
      const database = await setup(shape);
      const before = await published(database, shape);
      const message = `${'🦊'.repeat(400)} ${'x'.repeat(3_000)}`;
      const job = defineJob({
        name: 'breaks',
        handle: () => {
          throw new Error(message, { cause: new TypeError('d'.repeat(500)) });
        },
      });
      const redrive = await databaseRedrive(database.config, { jobs: [job] });
      expect((await redrive.migrate()).applied).toContain('failed_jobs_001_tables');
      expect(await published(database, shape)).toEqual(before);
      const { items } = await redrive.failedJobs.list();
      expect(items.map(({ id }) => id)).toEqual([6, 5, 4, 3, 1, 2]);
      const first = realisticRows[0];
      expect(items[4]).toMatchObject({ failedAt: new Date((first?.failedAt ?? 0) * 1_000), properties: { name: 'Zoë “Łucja” 🦊' } });
      expect(await redrive.failedJobs.count({ text: 'łucja' })).toBe(1);

      const id = await redrive.dispatch(job, {});
      await redrive.start();
      await redrive.idle({ timeout: '20s' });
      expect(await redrive.failedJobs.find(id)).toMatchObject({ id: 7, jobId: id, message });
      expect(await redrive.stats('default')).toMatchObject({ failed: 1, reserved: 0 });
      await redrive.stop();

      const another = await databaseRedrive(database.config, { jobs: [job] });
      await another.migrate({ rollback: true });
      expect((await published(database, shape)) as readonly unknown[]).toHaveLength(7);
      expect(((await published(database, shape)) as readonly unknown[]).slice(0, 6)).toEqual(before);
      expect(Object.keys(await database.knex('cbq_failed_jobs').columnInfo()).toSorted()).toEqual(
        [...publishedColumns, 'originalId'].toSorted(),
      );
    });
  });
});
