import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { change } from '../../../src/store/script.ts';
import { defineJob, isRedriveError, type JobClass, type Redrive } from '../../../src/index.ts';
import { RecordingLogger } from '../../../src/testing/recording-logger.ts';
import { databaseRedrive } from '../../support/database-redrive.ts';
import { Proxy } from '../../support/proxy.ts';
import { openStore } from '../../support/stores.ts';
import { withServer } from '../../support/servers.ts';

await withServer('postgres', ({ config, knex: admin }) => {
  let made = 0;

  interface Scene {
    readonly redrive: Redrive;
    readonly proxy: Proxy;
    readonly logger: RecordingLogger;
    readonly schema: string;
    readonly properties: Readonly<Record<string, unknown>>;
  }

  /** A Redrive that reaches its database through a proxy. */
  async function setup(jobs: readonly JobClass[], quantity = 5): Promise<Scene> {
    const schema = `loss_${++made}`;
    const { host, port } = config.connection as { host: string; port: number };
    const proxy = await Proxy.to({ host, port });
    const properties = { client: 'pg', connection: { ...config.connection, port: proxy.port }, schema, autoMigrate: true, lease: '6s' };
    const logger = new RecordingLogger();
    const redrive = await databaseRedrive(properties, {
      jobs,
      logger,
      config: { workerPools: { pool: { connection: 'main', quantity, maxAttempts: 2 } } },
    });
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', note);
    onTestFinished(() => {
      process.off('unhandledRejection', note);
      expect(unhandled).toEqual([]);
    });
    return { redrive, proxy, logger, schema, properties };
  }

  /** What is in the tables, by job: one row each, in one state. */
  async function tally(
    schema: string,
  ): Promise<{ states: Readonly<Record<string, number>>; failed: number; leased: number; untold: number; attempts: number }> {
    const count = async (table: string): Promise<number> =>
      Number((await admin.withSchema(schema).from(table).count({ n: '*' }).first<{ n: string }>())?.n);
    const rows = await admin.withSchema(schema).from('redrive_jobs').select('status').count({ n: '*' }).groupBy('status');
    const states = Object.fromEntries((rows as { status: string; n: string }[]).map(({ status, n }) => [status, Number(n)]));
    const leased = await admin.withSchema(schema).from('redrive_jobs').whereNotNull('session');
    return {
      states,
      failed: await count('cbq_failed_jobs'),
      leased: leased.length,
      untold: await count('redrive_announcements'),
      attempts: await count('redrive_attempts'),
    };
  }

  /** Jobs that note each run; every third one always throws. */
  function counting(runs: Map<string, number>): JobClass {
    return defineJob<{ n: number }>({
      name: 'counting',
      handle: ({ id, properties: { n } }) => {
        runs.set(id, (runs.get(id) ?? 0) + 1);
        if (n % 3 === 0) throw new TypeError('every third');
      },
    });
  }

  describe('F31: a worker on PostgreSQL', () => {
    it('whose connections are killed again and again loses and doubles nothing', { timeout: 90_000 }, async () => {
      const runs = new Map<string, number>();
      const job = counting(runs);
      const { redrive, schema } = await setup([job]);
      await redrive.start();
      const ids = await redrive.dispatchMany(Array.from({ length: 300 }, (_, n) => ({ job, properties: { n } })));
      let kills = 0;
      const killAll = async (): Promise<void> => {
        const pids = await admin('pg_stat_activity')
          .where({ datname: config.connection['database'], application_name: 'redrive' })
          .pluck<number[]>('pid');
        for (const pid of pids) await admin.raw('SELECT pg_terminate_backend(?)', [pid]);
        kills += pids.length;
      };
      for (let round = 1; round <= 12; round++) {
        await vi.waitFor(() => expect(runs.size).toBeGreaterThanOrEqual(Math.min(round * 20, 300)), { timeout: 15_000, interval: 2 });
        await killAll();
      }
      expect(await redrive.idle({ timeout: '60s' })).toBe(true);
      await vi.waitFor(async () => expect((await tally(schema)).untold).toBe(0), { timeout: 15_000 });
      expect(kills).toBeGreaterThan(10);
      expect(await tally(schema)).toEqual({ states: { completed: 200, failed: 100 }, failed: 100, leased: 0, untold: 0, attempts: 200 });
      // Two attempts of what throws, one of all else: none was run for the sake of a lost connection.
      for (const [index, id] of ids.entries()) expect([index, runs.get(id)]).toEqual([index, index % 3 === 0 ? 2 : 1]);
      expect(await redrive.health()).toMatchObject({ ok: true });
    });

    it(
      'whose server goes away stays up, says so in health(), and settles what it owes once the server is back',
      { timeout: 60_000 },
      async () => {
        let finish = (): void => undefined;
        const job = defineJob({ name: 'long', handle: () => new Promise<void>((resolve) => (finish = resolve)) });
        const other = defineJob({ name: 'other', handle: () => 'done' });
        const { redrive, proxy, logger, schema } = await setup([job, other]);
        await redrive.start();
        await redrive.dispatch(job);
        const reserved = async (): Promise<void> => expect((await tally(schema)).states).toEqual({ reserved: 1 });
        await vi.waitFor(reserved, { timeout: 10_000 });
        await proxy.down();
        finish();
        await vi.waitFor(() => expect(logger.says('Outcomes could not be written; trying again', 'error')).toBe(true), { timeout: 10_000 });
        await vi.waitFor(() => expect(logger.says('No jobs could be fetched; trying again', 'error')).toBe(true), { timeout: 10_000 });
        expect(logger.lines.some(({ fields }) => isRedriveError(fields['err'], 'STORE_UNREACHABLE'))).toBe(true);
        const { ok, connections, pools } = await redrive.health();
        expect({ ok, connections, pools }).toMatchObject({
          ok: false,
          connections: { main: { ok: false, error: expect.stringContaining('cannot be reached') as string } },
          pools: { pool: { ok: false, error: expect.stringContaining('cannot be reached') as string } },
        });
        await expect(redrive.dispatch(other)).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
        await proxy.up();
        await redrive.dispatch(other);
        await vi.waitFor(async () => expect((await tally(schema)).states).toEqual({ completed: 2 }), { timeout: 20_000 });
        await vi.waitFor(async () => expect(await redrive.health()).toMatchObject({ ok: true }), { timeout: 10_000 });
      },
    );

    it('settles once where the reply to its commit was lost', { timeout: 60_000 }, async () => {
      const runs = new Map<string, number>();
      const job = counting(runs);
      let arm = (): void => undefined;
      const arming = defineJob({ name: 'arming', handle: () => arm() });
      const { redrive, proxy, schema, logger } = await setup([job, arming], 1);
      await redrive.start();
      // From within the attempt: the next commit is that of its settlement, or of what settles beside it.
      arm = () => proxy.loseReplyOf('COMMIT\0');
      await redrive.dispatch(arming);
      await vi.waitFor(async () => expect((await tally(schema)).states).toEqual({ completed: 1 }), { timeout: 20_000 });
      arm = () => undefined;
      expect(proxy.cuts).toBeGreaterThan(0);
      await redrive.dispatch(job, { n: 0 });
      await vi.waitFor(
        async () => expect(await tally(schema)).toMatchObject({ states: { completed: 1, failed: 1 }, failed: 1, attempts: 2, untold: 0 }),
        { timeout: 20_000 },
      );
      expect(await redrive.stats('default')).toMatchObject({ completed: 1, failed: 1 });
      expect(logger.lines.filter(({ level }) => level === 'fatal')).toEqual([]);
    });
  });

  describe('a transaction on PostgreSQL', () => {
    async function table(): Promise<string> {
      const name = `loss_table_${++made}`;
      await admin.raw('CREATE TABLE ?? (id bigint)', [name]);
      return name;
    }

    it('is run again on another connection where the first one broke before the commit', async () => {
      const { proxy, properties } = await setup([]);
      const name = await table();
      const store = await openStore(properties);
      let runs = 0;
      await store.write(function* () {
        yield* change(`INSERT INTO public.${name} VALUES (1)`);
        if (++runs === 1) proxy.cut();
        yield* change(`INSERT INTO public.${name} VALUES (2)`);
      });
      expect(runs).toBe(2);
      expect((await admin(name).orderBy('id').pluck<string[]>('id')).map(Number)).toEqual([1, 2]);
    });

    it('whose reply to the commit was lost is not run again: whether it took effect is not known', async () => {
      const { proxy, properties } = await setup([]);
      const name = await table();
      const store = await openStore(properties);
      proxy.loseReplyOf('COMMIT\0');
      await expect(store.write(() => change(`INSERT INTO public.${name} VALUES (1)`))).rejects.toMatchObject({
        code: 'STORE_UNREACHABLE',
        message: expect.stringContaining('whether it took effect is not known') as string,
      });
      await vi.waitFor(async () => expect(await admin(name)).toHaveLength(1));
    });
  });
});
