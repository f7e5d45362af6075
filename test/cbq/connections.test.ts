import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DatabaseProvider } from '../../providers/database/index.ts';
import { defineJob, type ConnectionConfig, type Redrive } from '../../src/index.ts';
import { sqliteRedrive } from '../support/sqlite-redrive.ts';
import { rows } from '../support/tables.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { cbqRow, lastShape, makeCbqTable } from './published-table.ts';

const send = defineJob({ name: 'SendWelcomeEmailJob', handle: () => 'sent' });

interface Scene {
  readonly redrive: Redrive;
  readonly main: () => readonly unknown[];
  readonly other: () => readonly unknown[];
}

/** Two databases, and in the first one the failed jobs that cbq had on both. */
async function setup(): Promise<Scene> {
  const folder = temporaryFolder();
  const [main, other] = [join(folder, 'main.db'), join(folder, 'other.db')];
  const connection = (filename: string): ConnectionConfig => ({
    provider: DatabaseProvider,
    properties: { client: 'better-sqlite3', connection: { filename } },
  });
  makeCbqTable(main, lastShape, [cbqRow({ connection: 'main' }), cbqRow({ connection: 'other', queue: 'mail' })]);
  const redrive = await sqliteRedrive(main, {
    jobs: [send],
    config: { connections: { main: connection(main), other: connection(other) }, workerPools: {} },
  });
  await redrive.migrate();
  const jobsOf = (filename: string) => () => rows(filename, 'SELECT mapping, queue FROM redrive_jobs');
  return { redrive, main: jobsOf(main), other: jobsOf(other) };
}

describe('several connections', () => {
  it('get each what is dispatched to them by name, on the queue it names', async () => {
    const { redrive, main, other } = await setup();
    await redrive.dispatch(send, {}, { connection: 'other', queue: 'mail' });
    await redrive.job(send).onConnection('other').onQueue('slow').dispatch();
    expect(main()).toEqual([]);
    expect(other()).toEqual([
      { mapping: 'SendWelcomeEmailJob', queue: 'mail' },
      { mapping: 'SendWelcomeEmailJob', queue: 'slow' },
    ]);
  });

  it('get each what was theirs by a retry', async () => {
    const { redrive, main, other } = await setup();
    expect((await redrive.failedJobs.retry([2, 1])).outcomes).toMatchObject([
      { id: 2, status: 'requeued' },
      { id: 1, status: 'requeued' },
    ]);
    expect([main(), other()]).toEqual([
      [{ mapping: 'SendWelcomeEmailJob', queue: 'default' }],
      [{ mapping: 'SendWelcomeEmailJob', queue: 'mail' }],
    ]);
  });
});
