// A program of its own for process-life.test.ts: does what its argument says and prints what it did. Nothing but Redrive
// may keep it alive.
import { AsyncProvider } from '../../providers/async/index.ts';
import { DatabaseProvider } from '../../providers/database/index.ts';
import { SyncProvider } from '../../providers/sync/index.ts';
import { createRedrive, defineJob, type Redrive, type RedriveConfig } from '../../src/index.ts';

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const job = defineJob({ name: 'says', handle: () => say('ran') });

const make = (
  provider: typeof AsyncProvider | typeof SyncProvider | typeof DatabaseProvider,
  config: RedriveConfig = {},
): Promise<Redrive> =>
  createRedrive({
    connections: {
      main: {
        provider,
        properties: provider === DatabaseProvider ? { client: 'better-sqlite3', connection: { filename: ':memory:' } } : {},
      },
    },
    workerPools: { pool: { connection: 'main' } },
    jobs: [job],
    logFailedJobs: true,
    ...config,
  });

const programs: Readonly<Record<string, () => Promise<unknown>>> = {
  async 'works a delayed job in memory, then stops'() {
    const redrive = await make(AsyncProvider);
    redrive.on('onJobComplete', () => void redrive.stop().then(() => say('stopped')));
    await redrive.start();
    await redrive.dispatch(job, {}, { delay: '300ms' });
  },
  async 'works a delayed job of a database, then stops'() {
    const redrive = await make(DatabaseProvider);
    redrive.on('onJobComplete', () => void redrive.stop().then(() => say('stopped')));
    await redrive.start();
    await redrive.dispatch(job, {}, { delay: '300ms' });
  },
  async 'dispatches without a start'() {
    await (await make(AsyncProvider)).dispatch(job, {}, { delay: '1h' });
    say('dispatched');
  },
  async 'dispatches to a database without a start'() {
    await (await make(DatabaseProvider)).dispatch(job, {}, { delay: '1h' });
    say('dispatched');
  },
  async 'starts, but registers no workers'() {
    const redrive = await make(AsyncProvider, { registerWorkers: false });
    await redrive.start();
    await redrive.dispatch(job, {}, { delay: '1h' });
    say('dispatched');
  },
  async 'starts without any pool'() {
    const redrive = await make(AsyncProvider, { workerPools: {} });
    await redrive.start();
    say('started');
  },
  async 'fails to start'() {
    await (await make(AsyncProvider)).start({ pools: ['nobody'] }).catch((error: Error) => say(error.message));
  },
  async 'runs a delayed job where it dispatches it'() {
    await (await make(SyncProvider)).dispatch(job, {}, { delay: '300ms' });
    say('dispatched');
  },
  async 'dispatches to a locked database'() {
    const properties = { client: 'better-sqlite3', connection: { filename: process.argv[3] } };
    const redrive = await make(DatabaseProvider, { connections: { main: { provider: DatabaseProvider, properties } } });
    // Said only if something else keeps the process alive until then.
    setTimeout(() => say('waiting'), 200).unref();
    await redrive.dispatch(job);
    say('dispatched');
  },
};

await programs[process.argv[2] ?? '']?.();
