import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { AsyncProvider } from '../../providers/async/index.ts';
import { DatabaseProvider } from '../../providers/database/index.ts';
import { defineJob, isRedriveError, type AuditOptions, type RedriveConfig } from '../../src/index.ts';
import type { Subject } from '../../src/testing/conformance/world.ts';
import { using, World } from '../../src/testing/conformance/world.ts';
import { rows } from '../support/tables.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const job = defineJob({
  name: 'breaks',
  handle: () => {
    throw new Error('broken');
  },
});

const sqlite = (filename: string) => ({ client: 'better-sqlite3', connection: { filename }, useNullAsDefault: true });
const inFile = (): Subject => ({
  connection: { provider: DatabaseProvider, properties: sqlite(join(temporaryFolder(), 'jobs.db')) },
  dispose: async () => undefined,
});
const subjects: readonly (readonly [string, () => Subject])[] = [
  ['in the database of the jobs', inFile],
  [
    'in another database than the jobs',
    () => ({ ...inFile(), logFailedJobsProperties: { datasource: sqlite(join(temporaryFolder(), 'log.db')) } }),
  ],
  ['in memory', () => ({ connection: { provider: new AsyncProvider() }, dispose: async () => undefined })],
];

async function inWorld(make: () => Subject, test: (world: World) => Promise<void>, config: Partial<RedriveConfig> = {}): Promise<void> {
  await using(await World.make(async () => make(), { jobs: [job], config }), test);
}

async function fail(world: World, count = 1): Promise<readonly string[]> {
  const ids = [];
  for (let n = 0; n < count; n += 1) ids.push(await world.redrive.dispatch(job, { n }));
  await world.redrive.start();
  await world.until('all to have failed', async () => (await world.redrive.failedJobs.count()) === count);
  return ids;
}

function refuseAudit(filename: string): void {
  new Database(filename).exec(`CREATE TRIGGER refuse BEFORE INSERT ON redrive_audit BEGIN SELECT raise(ABORT, 'no audit'); END`).close();
}

describe.each(subjects)('the audit %s', (_where, make) => {
  it('tells of every act by hand: who, when, what, how many', async () => {
    await inWorld(make, async (world) => {
      const { redrive, clock } = world;
      const [first = '', second = '', third = ''] = await fail(world, 3);
      await redrive.pause('default', { by: 'ann' });
      await clock.advance('1m');
      await redrive.failedJobs.retry({ queue: 'default' }, { by: 'bob', note: 'mended' });
      await redrive.cancel(first, 'no need', { by: 'eve' });
      await redrive.failedJobs.markFailed([second, third], { by: 'eve', reason: 'wrong' });
      await redrive.failedJobs.resolve([second], { by: 'dan', note: 'paid by hand' });
      await redrive.failedJobs.forget([third, second], { by: 'joe' });
      await redrive.resume('default', { by: 'ann' });
      const { items, cursor } = await redrive.audit();
      expect(cursor).toBeUndefined();
      expect(items.map(({ by, action, count, ids }) => [by, action, count, ids])).toEqual([
        ['ann', 'resumed', 1, ['default']],
        ['joe', 'deleted', 2, [third, second]],
        ['dan', 'resolved', 1, [second]],
        ['eve', 'marked-failed', 2, [second, third]],
        ['eve', 'cancelled', 1, [first]],
        ['bob', 'retried', 3, [first, second, third]],
        ['ann', 'paused', 1, ['default']],
      ]);
      expect(items[5]).toMatchObject({ at: new Date(clock.now()), filter: { queue: 'default' }, detail: { note: 'mended' } });
      expect(items[2]?.detail).toEqual({ note: 'paid by hand' });
      expect(items[4]?.detail).toEqual({ reason: 'no need' });
    });
  });

  it('says nothing of an act that changed nothing', async () => {
    await inWorld(make, async (world) => {
      const [id = ''] = await fail(world);
      const { redrive } = world;
      await redrive.failedJobs.retry([id], { dryRun: true });
      await redrive.failedJobs.retry(['no-such-job']);
      await redrive.failedJobs.forget(['no-such-job']);
      await redrive.resume('default');
      await redrive.cancel(id);
      expect((await redrive.audit()).items).toEqual([]);
    });
  });

  it('is shown page by page, by who and since when', async () => {
    await inWorld(make, async (world) => {
      const { redrive, clock } = world;
      for (const by of ['ann', 'bob', 'ann', 'bob', 'ann']) {
        await redrive.pause(`queue-${clock.now()}`, { by });
        await clock.advance('1m');
      }
      const all = (await redrive.audit()).items;
      expect(all.map(({ by }) => by)).toEqual(['ann', 'bob', 'ann', 'bob', 'ann']);
      const page = await redrive.audit({ by: 'ann', limit: 2 });
      expect(page.items).toEqual([all[0], all[2]]);
      expect(await redrive.audit({ by: 'ann', limit: 2, cursor: page.cursor! })).toEqual({ items: [all[4]] });
      expect((await redrive.audit({ since: all[1]!.at })).items).toEqual(all.slice(0, 2));
      await expect(redrive.audit({ by: 'bob', cursor: page.cursor! })).rejects.toSatisfy((error) =>
        isRedriveError(error, 'CURSOR_INVALID'),
      );
    });
  });
});

describe('the audit', () => {
  it.each([
    [{ limit: 0 }, /limit/],
    [{ limit: 201 }, /limit/],
    [{ since: new Date('never') }, /since/],
    [{ by: '' }, /by/],
    [{ sinse: new Date() }, /did you mean "?since/],
  ])('refuses %j', async (options, reason) => {
    await inWorld(inFile, async ({ redrive }) => {
      await expect(redrive.audit(options as AuditOptions)).rejects.toThrow(reason);
    });
  });

  it('is written in the transaction of what it tells: one cannot be there without the other', async () => {
    const make = inFile();
    const { filename } = (make.connection.properties as ReturnType<typeof sqlite>).connection;
    await inWorld(
      () => make,
      async (world) => {
        await fail(world);
        refuseAudit(filename);
        await expect(world.redrive.failedJobs.retry({})).rejects.toThrow('no audit');
        await expect(world.redrive.failedJobs.forget({})).rejects.toThrow('no audit');
        await expect(world.redrive.pause('default')).rejects.toThrow('no audit');
        expect(await world.redrive.failedJobs.count()).toBe(1);
        expect(rows(filename, 'SELECT * FROM redrive_paused_queues')).toEqual([]);
      },
    );
  });

  it('shows nothing that the redaction rules remove', async () => {
    await inWorld(
      inFile,
      async (world) => {
        await fail(world);
        await world.redrive.failedJobs.retry({}, { note: 'card 4242424242424242 was blocked' });
        expect(JSON.stringify((await world.redrive.audit()).items)).not.toContain('4242424242424242');
      },
      { redact: [/\d{16}/] },
    );
  });

  it('of another database that cannot be written does not undo what was done, and the log says so', async () => {
    const log = join(temporaryFolder(), 'log.db');
    await inWorld(
      () => ({ ...inFile(), logFailedJobsProperties: { datasource: sqlite(log) } }),
      async (world) => {
        await world.redrive.pause('early');
        refuseAudit(log);
        expect(await world.redrive.pause('default')).toBe(true);
        expect(world.logger.says('What was done could not be written into the audit', 'error')).toBe(true);
      },
    );
  });

  it('is not there while the failed-jobs log is off, and nothing fails for it', async () => {
    await inWorld(
      inFile,
      async ({ redrive }) => {
        expect(await redrive.pause('default')).toBe(true);
        await expect(redrive.audit()).rejects.toSatisfy((error) => isRedriveError(error, 'FAILED_JOBS_OFF'));
      },
      { logFailedJobs: false },
    );
  });
});
