import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { documentOf, makeProject, type Project } from '../cli/project.ts';
import { cbqRow, firstFailedAt, lastShape, makeCbqTable, publishedBytes, realisticRows, writeAsCbq } from './published-table.ts';

/** A project whose database is that of an app with cbq. */
async function setup(): Promise<{ readonly filename: string; readonly redrive: (...argv: string[]) => ReturnType<Project['redrive']> }> {
  const project = await makeProject({ migrated: false });
  const filename = join(project.cwd, 'app.db');
  makeCbqTable(filename, lastShape, [...realisticRows, cbqRow({ mapping: 'ping' })]);
  return { filename, redrive: (...argv) => project.redrive(...argv) };
}

describe("the commands on cbq's table", () => {
  it('upgrade it once, and have nothing to do the second time', async () => {
    const { redrive, filename } = await setup();
    const before = publishedBytes(filename, lastShape);
    expect(await redrive('migrate')).toMatchObject({ code: 0, stdout: expect.stringContaining('Applied failed_jobs_001_tables') });
    expect(await redrive('migrate')).toMatchObject({ code: 0, stdout: 'Nothing to migrate.\n' });
    expect(publishedBytes(filename, lastShape)).toEqual(before);
  });

  it('refuse to list it before that, and say what to do', async () => {
    const { redrive } = await setup();
    expect(await redrive('failed')).toMatchObject({ code: 1, stderr: expect.stringContaining('redrive migrate') });
  });

  it('list, show, retry and work what cbq wrote, also what it has written since', async () => {
    const { redrive, filename } = await setup();
    await redrive('migrate');
    const late = cbqRow({ mapping: 'ping', properties: { late: true } }, { failedAt: firstFailedAt + 1_000 });
    writeAsCbq(filename, lastShape, [late]);
    expect(documentOf(await redrive('failed', '--json'))).toMatchObject({
      items: [
        { id: 8, jobId: null, job: 'ping', properties: { late: true } },
        { id: 6 },
        { id: 5 },
        { id: 4 },
        { id: 3 },
        { id: 1 },
        { id: 7 },
        { id: 2 },
      ],
    });
    expect(await redrive('failed', '--job', 'ping')).toMatchObject({ code: 0, stdout: expect.stringMatching(/\b8\b[^]*\b7\b/) });
    const shown = await redrive('failed', 'show', '1');
    expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining('Zoë “Łucja” 🦊') });
    expect(shown.stdout).not.toContain('isLifecycleJob');
    expect(await redrive('failed', 'show', '4')).toMatchObject({ code: 0, stdout: expect.stringContaining('plain words, no JSON') });
    expect(await redrive('retry', '7', '8')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^7 {2}requeued {2}as job \S+\n8 {2}requeued {2}as job \S+\nRe-queued 2 job\(s\)\.\n$/),
    });
    expect(await redrive('retry', '4')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('The job as cbq stored it cannot be read'),
    });
    expect(await redrive('work', '--stop-when-empty')).toMatchObject({ code: 0 });
    expect(documentOf(await redrive('failed', '--status', 'resolved', '--json'))).toMatchObject({
      items: expect.arrayContaining([expect.objectContaining({ id: 7 }), expect.objectContaining({ id: 8 })]),
    });
  });
});
