import { expect, it, onTestFinished } from 'vitest';
import { AsyncProvider, Memory } from '../../../providers/async/index.ts';
import { DatabaseProvider } from '../../../providers/database/index.ts';
import { createRedrive, defineJob, type ConnectionConfig, type LogFailedJobsProperties, type Redrive } from '../../../src/index.ts';
import { RecordingLogger } from '../../../src/testing/recording-logger.ts';

const inMemory: ConnectionConfig = { provider: AsyncProvider };
const inDatabase = (): ConnectionConfig => ({
  provider: DatabaseProvider,
  properties: { client: 'better-sqlite3', connection: { filename: ':memory:' } },
});
const fails = defineJob({
  name: 'fails',
  handle: () => {
    throw new Error('no');
  },
});

async function setup(
  connections: Record<string, ConnectionConfig>,
  logFailedJobsProperties: LogFailedJobsProperties = {},
): Promise<{ redrive: Redrive; logger: RecordingLogger }> {
  const logger = new RecordingLogger();
  const [connection = ''] = Object.keys(connections);
  const redrive = await createRedrive(
    { connections, workerPools: { pool: { connection } }, jobs: [fails], logFailedJobs: true, logAttempts: false, logFailedJobsProperties },
    { logger },
  );
  onTestFinished(() => redrive.stop());
  return { redrive, logger };
}

async function failOne(redrive: Redrive): Promise<string> {
  const told = new Promise<void>((resolve) => void redrive.on('onJobFailed', () => resolve()));
  const id = await redrive.dispatch(fails);
  await redrive.start();
  await told;
  return id;
}

it('F22: keeps failed jobs in memory where no connection has a database, and says nothing of it', async () => {
  const { redrive, logger } = await setup({ main: inMemory });
  const id = await failOne(redrive);
  expect(await redrive.failedJobs.find(id)).toMatchObject({
    id: 1,
    jobId: id,
    status: 'failed',
    message: 'no',
    history: [{ attempt: 1, kind: 'exception' }],
  });
  expect(logger.lines.filter(({ level }) => level === 'warn')).toEqual([]);
  expect((await redrive.migrate()).applied).toEqual([]);
});

it('keeps them in a database where one connection has one', async () => {
  const { redrive } = await setup({ main: inMemory, database: inDatabase() });
  const id = await failOne(redrive);
  expect((await redrive.failedJobs.find(id))?.status).toBe('failed');
  expect((await redrive.migrate()).applied).toEqual([]);
});

it('keeps them in memory where it is told to, and warns that they do not outlive the process as the jobs do', async () => {
  const { redrive, logger } = await setup({ main: inDatabase() }, { store: 'memory' });
  const id = await failOne(redrive);
  expect((await redrive.failedJobs.find(id))?.message).toBe('no');
  expect(logger.says("Failed jobs are kept in this process's memory", 'warn')).toBe(true);
});

it('a datasource wins over the store', async () => {
  const datasource = { client: 'better-sqlite3', connection: { filename: ':memory:' }, useNullAsDefault: true };
  const { redrive } = await setup({ main: inMemory }, { store: 'memory', datasource });
  expect((await redrive.migrate()).applied).toContain('failed_jobs_001_tables');
});

it('refuses a store that is a database where there is none', async () => {
  const { redrive } = await setup({ main: inMemory }, { store: 'database' });
  await expect(redrive.start()).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('No connection has a database to keep failed jobs in') as string,
  });
  const other = await setup({ main: inMemory }, { datasource: 'main' });
  await expect(other.redrive.start()).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('Connection "main" has no database') as string,
  });
});

it('two Redrives share their jobs where they are given the same memory, and else do not', async () => {
  const memory = new Memory();
  const shared: ConnectionConfig = { provider: AsyncProvider, properties: { memory } };
  const [one, two, apart] = [await setup({ main: shared }), await setup({ main: shared }), await setup({ main: inMemory })];
  const id = await failOne(one.redrive);
  expect((await two.redrive.failedJobs.find(id))?.status).toBe('failed');
  expect((await two.redrive.status(id))?.status).toBe('failed');
  expect(await apart.redrive.failedJobs.find(id)).toBeUndefined();
});
