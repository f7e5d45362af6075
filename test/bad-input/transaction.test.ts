import { join } from 'node:path';
import knexModule, { type Knex } from 'knex';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { defineJob, isRedriveError, type Redrive } from '../../src/index.ts';
import { isPending } from '../support/locked.ts';
import { sqliteRedrive, type SqliteRedriveOptions } from '../support/sqlite-redrive.ts';
import { rows } from '../support/tables.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const job = defineJob<Record<string, unknown>>({ name: 'job', handle: () => 'done' });

interface Scene {
  readonly filename: string;
  readonly redrive: Redrive;
  /** The user's own. */
  readonly knex: Knex;
  readonly stored: () => { orders: readonly unknown[]; jobs: readonly unknown[] };
}

function openKnex(filename: string): Knex {
  const knex = knexModule.knex({ client: 'better-sqlite3', connection: { filename }, useNullAsDefault: true });
  onTestFinished(() => knex.destroy());
  return knex;
}

/** A file with a table of the user's and Redrive's tables. */
async function scene(options?: (knex: Knex) => SqliteRedriveOptions): Promise<Scene> {
  const filename = join(temporaryFolder(), 'app.db');
  const knex = openKnex(filename);
  await knex.schema.createTable('orders', (table) => void table.integer('id'));
  const redrive = await sqliteRedrive(filename, { jobs: [job], ...options?.(knex) });
  await redrive.migrate();
  return {
    filename,
    redrive,
    knex,
    stored: () => ({
      orders: rows(filename, 'SELECT id FROM orders').map((row) => (row as { id: number }).id),
      jobs: rows(filename, 'SELECT uuid FROM redrive_jobs ORDER BY id').map((row) => (row as { uuid: string }).uuid),
    }),
  };
}

async function refused(call: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error = await call.then(
    () => expect.fail('it was not refused'),
    (reason: unknown) => reason,
  );
  if (isRedriveError(error)) return { code: error.code, message: error.message };
  throw error;
}

describe("a dispatch inside of the user's transaction", () => {
  it('is stored with its commit, together with what else is in it', async () => {
    const { redrive, knex, stored } = await scene();
    const ids = await knex.transaction(async (transaction) => {
      await transaction('orders').insert({ id: 1 });
      const first = await redrive.dispatch(job, {}, { transaction });
      await transaction('orders').insert({ id: 2 });
      const more = await redrive.dispatchMany([
        { job, options: { transaction } },
        { job, options: { transaction } },
      ]);
      expect(stored()).toEqual({ orders: [], jobs: [] });
      return [first, ...more];
    });
    expect(stored()).toEqual({ orders: [1, 2], jobs: ids });
  });

  it('is gone with its rollback', async () => {
    const { redrive, knex, stored } = await scene();
    const rolledBack = knex.transaction(async (transaction) => {
      await transaction('orders').insert({ id: 1 });
      await redrive.dispatch(job, {}, { transaction });
      throw new Error('changed my mind');
    });
    await expect(rolledBack).rejects.toThrow('changed my mind');
    expect(stored()).toEqual({ orders: [], jobs: [] });
  });

  it('is run once the transaction is committed, and not before', async () => {
    const { redrive, knex } = await scene();
    const complete = new Promise<string>((resolve) => redrive.on('onJobComplete', (event) => resolve(event.job.id)));
    await redrive.start();
    const id = await knex.transaction(async (transaction) => {
      const dispatched = await redrive.dispatch(job, {}, { transaction });
      expect(await isPending(complete)).toBe(true);
      return dispatched;
    });
    expect(await complete).toBe(id);
  });

  it("works with a Knex instance of the user's as the connection, which stop() leaves open", async () => {
    const { redrive, knex, stored } = await scene((own) => ({ properties: { knex: own, client: undefined, connection: undefined } }));
    const id = await knex.transaction((transaction) => redrive.dispatch(job, {}, { transaction }));
    await redrive.stop();
    await knex('orders').insert({ id: 3 });
    expect(stored()).toEqual({ orders: [3], jobs: [id] });
  });

  it('works in a nested transaction, whose rollback takes the job with it and nothing else', async () => {
    const { redrive, knex, stored } = await scene();
    let kept = '';
    await knex.transaction(async (outer) => {
      kept = await redrive.dispatch(job, {}, { transaction: outer });
      const inner = outer.transaction(async (transaction) => {
        await redrive.dispatch(job, {}, { transaction });
        throw new Error('only the inner one');
      });
      await expect(inner).rejects.toThrow('only the inner one');
    });
    expect(stored()).toEqual({ orders: [], jobs: [kept] });
  });

  it('leaves the transaction as it was where the job is refused, and the rest of it can be committed', async () => {
    const { redrive, knex, stored } = await scene();
    await knex.transaction(async (transaction) => {
      await transaction('orders').insert({ id: 1 });
      expect((await refused(redrive.dispatch(job, { n: 1n }, { transaction }))).code).toBe('PROPERTIES_INVALID');
    });
    expect(stored()).toEqual({ orders: [1], jobs: [] });
  });

  it('is refused where the transaction belongs to another file: both are named, and neither holds the job', async () => {
    const { redrive, stored, filename } = await scene();
    const other = join(temporaryFolder(), 'other.db');
    const elsewhere = openKnex(other);
    const { code, message } = await refused(elsewhere.transaction((transaction) => redrive.dispatch(job, {}, { transaction })));
    expect(code).toBe('OPTIONS_INVALID');
    expect(message).toContain(filename);
    expect(message).toContain(other);
    expect(stored()).toEqual({ orders: [], jobs: [] });
  });

  it('is refused where the transaction is in memory, or has ended', async () => {
    const { redrive, knex, stored } = await scene();
    const memory = openKnex(':memory:');
    expect((await refused(memory.transaction((transaction) => redrive.dispatch(job, {}, { transaction })))).code).toBe('OPTIONS_INVALID');
    const ended = await knex.transaction();
    await ended.commit();
    expect(await refused(redrive.dispatch(job, {}, { transaction: ended }))).toEqual({
      code: 'OPTIONS_INVALID',
      message: expect.stringContaining('transaction'),
    });
    expect(await refused(redrive.dispatch(job, {}, { transaction: knex as never }))).toEqual({
      code: 'OPTIONS_INVALID',
      message: expect.stringContaining('transaction'),
    });
    expect(stored()).toEqual({ orders: [], jobs: [] });
  });
});

describe("a dispatch beside the user's open transaction", () => {
  it('waits for its end, and is stored whatever that is', async () => {
    const { redrive, knex, stored } = await scene();
    const ids: string[] = [];
    for (const end of ['commit', 'rollback'] as const) {
      const transaction = await knex.transaction();
      await transaction('orders').insert({ id: 1 });
      const waiting = redrive.dispatch(job);
      expect(await isPending(waiting)).toBe(true);
      await transaction[end]();
      ids.push(await waiting);
    }
    expect(stored()).toEqual({ orders: [1], jobs: ids });
  });

  it('from within, which can only wait for itself: says so with STORE_LOCKED, and the transaction can still be committed', async () => {
    const { redrive, knex, stored } = await scene();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const transaction = await knex.transaction();
    await transaction('orders').insert({ id: 1 });
    const waiting = refused(redrive.dispatch(job));
    await vi.advanceTimersByTimeAsync(20_000);
    expect((await waiting).code).toBe('STORE_LOCKED');
    await transaction.commit();
    expect(stored()).toEqual({ orders: [1], jobs: [] });
  });
});
