import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fingerprintOf } from '../../src/record/fingerprint.ts';
import { sqliteRedrive } from '../support/sqlite-redrive.ts';
import { rows } from '../support/tables.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import {
  cbqRow,
  firstFailedAt,
  lastShape,
  makeCbqTable,
  publishedBytes,
  publishedColumns,
  realisticRows,
  shapeNames,
  type Shape,
} from './published-table.ts';

function setup(shape: Shape, given = realisticRows): string {
  const filename = join(temporaryFolder(), 'app.db');
  makeCbqTable(filename, shape, given);
  return filename;
}

interface OwnColumns {
  readonly id: number;
  readonly job_id: string | null;
  readonly failure_seq: number;
  readonly status: string;
  readonly kind: string;
  readonly run: number;
  readonly attempts: number;
  readonly max_attempts: number;
  readonly failed_at: number;
  readonly fingerprint: string;
}

const ownColumns = (filename: string): readonly OwnColumns[] =>
  rows<OwnColumns>(filename, 'SELECT * FROM cbq_failed_jobs ORDER BY failure_seq');

describe.each(shapeNames)("cbq's table (%s)", (shape) => {
  it('is upgraded where it stands, with every byte of its rows kept', async () => {
    const filename = setup(shape);
    const before = publishedBytes(filename, shape);
    expect(before).toHaveLength(realisticRows.length);
    const { applied } = await (await sqliteRedrive(filename)).migrate();
    expect(applied).toContain('failed_jobs_001_tables');
    expect(publishedBytes(filename, shape)).toEqual(before);
    const names = rows<{ name: string }>(filename, "SELECT name FROM pragma_table_info('cbq_failed_jobs')").map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining([...publishedColumns, 'originalId', 'job_id', 'failure_seq', 'status', 'event_id']));
    expect(rows(filename, "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'cbq_failed_jobs' ORDER BY name")).toEqual(
      ['job', 'release', 'series', 'time'].map((name) => ({ name: `cbq_failed_jobs_${name}` })),
    );
  });

  it('has its rows numbered by the time of their failure, with what they say in our columns', async () => {
    const filename = setup(shape);
    await (await sqliteRedrive(filename)).migrate();
    const numbered = ownColumns(filename);
    expect(
      numbered.map(({ id, failure_seq, attempts, max_attempts, failed_at }) => [
        failure_seq,
        id,
        attempts,
        max_attempts,
        failed_at / 1_000 - firstFailedAt,
      ]),
    ).toEqual([
      [1, 2, 1, 1, 0],
      [2, 1, 3, 3, 60],
      [3, 3, 2, 5, 120],
      [4, 4, 1, 1, 180],
      [5, 5, 1, 1, 240],
      [6, 6, 1, 1, 300],
    ]);
    for (const row of numbered)
      expect(row).toMatchObject({
        job_id: null,
        status: 'failed',
        kind: 'exception',
        run: 1,
        fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
      });
    const { exceptionMessage: message, exceptionStackTrace: stack } = realisticRows[0]!;
    expect(numbered[1]!.fingerprint).toBe(
      fingerprintOf({ job: 'SendWelcomeEmailJob', exception: { type: 'MailServer.Unreachable', message, stack } }),
    );
    expect(rows(filename, 'SELECT fingerprint FROM redrive_groups ORDER BY fingerprint')).toEqual(
      [...new Set(numbered.map(({ fingerprint }) => fingerprint))].toSorted().map((fingerprint) => ({ fingerprint })),
    );
  });

  it('is listed, shown and counted like any other', async () => {
    const filename = setup(shape);
    const redrive = await sqliteRedrive(filename);
    await redrive.migrate();
    const { items } = await redrive.failedJobs.list();
    expect(items.map(({ id }) => id)).toEqual([6, 5, 4, 3, 1, 2]);
    expect(
      items.every(({ jobId, createdAt, worker, status }) => jobId === null && createdAt === null && worker === null && status === 'failed'),
    ).toBe(true);
    expect(await redrive.failedJobs.count()).toBe(6);
    expect(await redrive.failedJobs.count({ queue: 'slow' })).toBe(1);
    expect(
      await redrive.failedJobs.count({ since: new Date((firstFailedAt + 120) * 1_000), until: new Date((firstFailedAt + 300) * 1_000) }),
    ).toBe(3);
    for (const text of ['Łucja', 'łucja', 'ŁUCJA'])
      expect((await redrive.failedJobs.list({ text })).items.map(({ id }) => id)).toEqual([1]);
    const lucee = await redrive.failedJobs.find(1);
    expect(lucee).toMatchObject({
      id: 1,
      jobId: null,
      job: 'SendWelcomeEmailJob',
      properties: { userId: 1, name: 'Zoë “Łucja” 🦊', note: 'line\nline\ttab' },
      type: 'MailServer.Unreachable',
      detail: 'Connection refused',
      extendedInfo: null,
      exception: {
        type: 'MailServer.Unreachable',
        stack: realisticRows[0]!.exceptionStackTrace,
        fields: { detail: 'Connection refused', tagContext: [{ line: 12 }] },
      },
      attempts: 3,
      maxAttempts: 3,
      run: 1,
      failedAt: new Date((firstFailedAt + 60) * 1_000),
      history: [],
    });
    // The column holds no more than 255 characters.
    expect(await redrive.failedJobs.find(3)).toMatchObject({
      type: '',
      exception: { message: 'Element USERID is undefined in PROPERTIES. '.repeat(10) },
    });
    expect(await redrive.failedJobs.find(4)).toMatchObject({
      properties: null,
      message: '',
      stack: '',
      exception: { type: '', message: '', stack: '' },
      extendedInfo: { text: 'plain words, no JSON' },
    });
    expect(await redrive.failedJobs.find(5)).toMatchObject({ properties: null, extendedInfo: { queue: ['a', 'b'] } });
    expect(await redrive.failedJobs.find(6)).toMatchObject({ properties: 'text', extendedInfo: { text: '[1]' } });
  });

  it('is left alone by every migration that follows', async () => {
    const filename = setup(shape);
    await (await sqliteRedrive(filename)).migrate();
    const once = rows(filename, 'SELECT * FROM cbq_failed_jobs ORDER BY id');
    expect(await (await sqliteRedrive(filename)).migrate()).toEqual({ applied: [], pending: [] });
    expect(rows(filename, 'SELECT * FROM cbq_failed_jobs ORDER BY id')).toEqual(once);
    expect(rows(filename, "SELECT value FROM redrive_sequences WHERE name = 'failure'")).toEqual([{ value: 6 }]);
  });

  it('is upgraded at start, which migrates a SQLite file', async () => {
    const filename = setup(shape);
    const before = publishedBytes(filename, shape);
    const redrive = await sqliteRedrive(filename);
    await redrive.start();
    expect((await redrive.failedJobs.list()).items).toHaveLength(6);
    expect(ownColumns(filename).map(({ failure_seq }) => failure_seq)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(publishedBytes(filename, shape)).toEqual(before);
  });
});

describe('a table of many rows', () => {
  it('is numbered in chunks, each failure in its place', async () => {
    const given = Array.from({ length: 2_345 }, (_, index) =>
      cbqRow({ properties: { index } }, { failedAt: firstFailedAt + ((index * 7_919) % 2_345) }),
    );
    const filename = setup(lastShape, given);
    await (await sqliteRedrive(filename)).migrate();
    const numbered = ownColumns(filename);
    expect(numbered.map(({ failure_seq }) => failure_seq)).toEqual(given.map((_, index) => index + 1));
    expect(numbered.map(({ failed_at }) => failed_at / 1_000)).toEqual(given.map(({ failedAt }) => failedAt).toSorted((a, b) => a - b));
    // One cause, whatever the numbers in the messages.
    expect(rows(filename, 'SELECT count(*) AS groups FROM redrive_groups')).toEqual([{ groups: 1 }]);
  });

  it('goes on where a process died that was numbering it', async () => {
    const filename = setup(lastShape);
    await (await sqliteRedrive(filename)).migrate();
    const columns = ['failure_seq', 'status', 'kind', 'fingerprint', 'run', 'attempts', 'max_attempts', 'failed_at'];
    rows(filename, `UPDATE cbq_failed_jobs SET ${columns.map((name) => `${name} = NULL`).join(', ')} WHERE failure_seq > 2 RETURNING id`);
    await (await sqliteRedrive(filename)).migrate();
    expect(ownColumns(filename).map(({ failure_seq, id }) => [failure_seq, id])).toEqual([
      [1, 2],
      [2, 1],
      [7, 3],
      [8, 4],
      [9, 5],
      [10, 6],
    ]);
  });

  it('is numbered once by two processes that migrate at once', async () => {
    const given = Array.from({ length: 450 }, (_, index) => cbqRow({ properties: { index } }, { failedAt: firstFailedAt + index }));
    const filename = setup(lastShape, given);
    const both = [await sqliteRedrive(filename), await sqliteRedrive(filename)];
    await Promise.all(both.map((redrive) => redrive.migrate()));
    expect(ownColumns(filename).map(({ failure_seq, id }) => [failure_seq, id])).toEqual(given.map((_, index) => [index + 1, index + 1]));
  });
});

describe('a table of another name', () => {
  it('is upgraded as well, and has a step of its own', async () => {
    const filename = join(temporaryFolder(), 'app.db');
    makeCbqTable(filename, lastShape, realisticRows, 'old failures');
    const redrive = await sqliteRedrive(filename, { config: { logFailedJobsProperties: { tableName: 'old failures' } } });
    expect((await redrive.migrate()).applied).toContain('failed_jobs_001_tables:old failures');
    expect(await redrive.failedJobs.count()).toBe(6);
  });
});
