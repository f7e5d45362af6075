import { describe, expect, it } from 'vitest';
import type { RetryOutcome } from '../../../src/failure/failed-job.ts';
import { fakeServices } from '../fake-redrive.ts';
import { documentOf, makeProject, type Project } from '../project.ts';
import { redrive } from '../terminal.ts';

/** Failed jobs 1 to `count`, the odd ones on queue high; a queued job; the queued job's id. */
async function withFailures(count: number): Promise<{ project: Project; queued: string }> {
  const project = await makeProject();
  const lines = Array.from({ length: count }, (_, index) =>
    JSON.stringify({ name: 'reports.nightly', properties: { n: index + 1 }, options: { queue: index % 2 === 0 ? 'high' : 'slow' } }),
  );
  for (const line of lines) {
    await project.redriveWith({ stdin: line }, 'dispatch', '--file', '-');
    await project.redrive('work', '--once');
  }
  const { ids } = documentOf(await project.redrive('dispatch', 'ping', '--json')) as { ids: string[] };
  return { project, queued: ids[0] ?? '' };
}

async function failedNumbers(project: Project, ...flags: string[]): Promise<number[]> {
  const { items } = documentOf(await project.redrive('failed', '--json', ...flags)) as { items: { id: number }[] };
  return items.map(({ id }) => id);
}

describe('redrive retry', () => {
  it('prints an outcome for each id, exits 1 and names those not moved, F39', async () => {
    const { project, queued } = await withFailures(1);
    const unknown = '01900000-0000-7000-8000-000000000000';
    const { code, stdout, stderr } = await project.redrive('retry', '1', queued, unknown, '99');
    expect(code).toBe(1);
    expect(stdout.split('\n')).toEqual([
      '1  requeued',
      expect.stringMatching(new RegExp(`^${queued}  not_failed  .`)),
      expect.stringMatching(new RegExp(`^${unknown}  not_found  .`)),
      expect.stringMatching(/^99 {2}not_found {2}./),
      'Re-queued 1 job(s).',
      '',
    ]);
    expect(stderr).toBe(`redrive: 3 not moved: ${queued}, ${unknown}, 99\n`);
    expect(await failedNumbers(project)).toEqual([]);
    expect(await failedNumbers(project, '--status', 'retrying')).toEqual([1]);
  });

  it('changes nothing in a dry run and names exactly what would move, F45', async () => {
    const { project } = await withFailures(3);
    const dry = await project.redrive('retry', '--all', '--dry-run');
    expect(dry).toMatchObject({ code: 0, stderr: '' });
    expect(await failedNumbers(project)).toEqual([3, 2, 1]);
    const named = dry.stdout
      .split('\n')
      .filter((line) => line.endsWith('would_requeue'))
      .map((line) => line.split(' ')[0]);
    expect(dry.stdout).toContain('Would re-queue 3 job(s).\n');
    const { outcomes } = documentOf(await project.redrive('retry', '--all', '--json')) as { outcomes: { id: string; status: string }[] };
    expect(outcomes).toEqual(named.map((id) => ({ id, status: 'requeued' })));
  });

  it('prints the answer of the API as one document with --json', async () => {
    const { project } = await withFailures(1);
    expect(documentOf(await project.redrive('retry', '1', '--dry-run', '--json'))).toEqual({
      requeued: 0,
      outcomes: [{ id: 1, status: 'would_requeue' }],
    });
    expect(documentOf(await project.redrive('retry', '1', '--json'))).toEqual({ requeued: 1, outcomes: [{ id: 1, status: 'requeued' }] });
    const late = await project.redrive('retry', '1', '--json');
    expect(late.code).toBe(1);
    expect(documentOf(late)).toEqual({ requeued: 0, outcomes: [{ id: 1, status: 'not_failed', detail: expect.any(String) }] });
  });

  it('takes the ids of requeue-failed with commas between them', async () => {
    const { project } = await withFailures(3);
    expect(await project.redrive('requeue-failed', '--job-ids', '1, 3')).toMatchObject({
      code: 0,
      stdout: '1  requeued\n3  requeued\nRe-queued 2 job(s).\n',
    });
    expect(await failedNumbers(project)).toEqual([2]);
  });

  it('moves what the filter flags choose, and exits 0 where that is nothing', async () => {
    const { project } = await withFailures(3);
    expect(await project.redrive('retry', '--from-queue', 'slow')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Re-queued 1 job(s).'),
    });
    expect(await failedNumbers(project)).toEqual([3, 1]);
    expect(await project.redrive('retry', '--job', 'ping', '--since', '1h')).toEqual({
      code: 0,
      stdout: 'Re-queued 0 job(s).\n',
      stderr: '',
    });
    expect(await project.redrive('retry', '--text', 'second', '--kind', 'exception', '--type', 'Unrecoverable')).toMatchObject({
      stdout: expect.stringContaining('Re-queued 2 job(s).'),
    });
  });

  it('puts jobs on the queue that --queue names', async () => {
    const { project } = await withFailures(1);
    await project.redrive('retry', '1', '--queue', 'slow', '--at-front', '--delay', '10ms', '--by', 'ada', '--note', 'fixed the report');
    await project.redrive('work', '--stop-when-empty', '--include-delayed', '--pool', 'slow');
    expect(documentOf(await project.redrive('failed', 'show', '1', '--json'))).toMatchObject({
      status: 'failed',
      run: 2,
      queue: 'slow',
      history: [{ run: 1 }, { run: 2 }],
    });
  });

  it('works with --database alone on a connection of that name', async () => {
    const project = await makeProject({
      config: `
      import { defineConfig, defineJob, Unrecoverable } from 'redrive';
      import { DatabaseProvider } from 'redrive/providers/database';
      export default defineConfig({
        connections: { default: { provider: DatabaseProvider, properties: { client: 'better-sqlite3', connection: { filename: new URL('app.db', import.meta.url).pathname } } } },
        workerPools: { main: { connection: 'default' } },
        jobs: [defineJob({ name: 'bad', handle: () => { throw new Unrecoverable('no'); } })],
        logFailedJobs: true,
      });`,
    });
    await project.redrive('dispatch', 'bad');
    await project.redrive('work', '--once');
    expect(await project.redrive('retry', '1', '--database', 'app.db')).toMatchObject({
      code: 0,
      stdout: '1  requeued\nRe-queued 1 job(s).\n',
    });
  });

  const outcomesOf = (outcomes: readonly RetryOutcome[]) =>
    fakeServices({
      failedJobs: {
        retry: async () => ({ requeued: outcomes.filter(({ status }) => status === 'requeued').length, outcomes }),
        count: async () => outcomes.length,
      },
    });

  it('asks nothing, since nothing is lost by it: neither on a terminal, nor without one or --yes', async () => {
    const services = outcomesOf([{ id: 1, status: 'requeued' }]);
    for (const options of [{ services }, { services, columns: 80, stdin: 'n\n' }]) {
      for (const flags of [['--all'], ['--job', 'ping'], ['--all', '--yes']]) {
        const { code, stdout, stderr } = await redrive(['retry', ...flags], options);
        expect({ code, stdout }).toEqual({ code: 0, stdout: '1  requeued\nRe-queued 1 job(s).\n' });
        expect(stderr).not.toContain('[y/N]');
      }
    }
  });

  it('lists of a large set only what was left behind', async () => {
    const outcomes = Array.from({ length: 2_000 }, (_, index): RetryOutcome =>
      index % 500 === 7 ? { id: `job-${index}`, status: 'duplicate' } : { id: `job-${index}`, status: 'requeued' },
    );
    const { code, stdout, stderr } = await redrive(['retry', '--all'], { services: outcomesOf(outcomes), columns: 80 });
    expect(code).toBe(1);
    expect(stdout.split('\n')).toEqual([
      ...[7, 507, 1007, 1507].map((n) => `job-${n}  duplicate  a live job holds its unique key`),
      'Re-queued 1996 job(s).',
      '',
    ]);
    expect(stderr).toContain('Re-queueing  [........................................]    0%  0 of 2000');
    expect(stderr).toContain('redrive: 4 not moved: job-7, job-507, job-1007, job-1507\n');
  });

  it('names twenty of those not moved in its last line, and how many more there are', async () => {
    const outcomes = Array.from({ length: 50 }, (_, index): RetryOutcome => ({
      id: index + 1,
      status: 'error',
      detail: 'bad\u001b[31m row',
    }));
    const { stdout, stderr } = await redrive(['retry', '--all'], { services: outcomesOf(outcomes) });
    expect(stderr).toMatch(/^redrive: 50 not moved: 1, 2, .*, 20 and 30 more\n$/);
    expect(stdout).toContain('1  error  bad\\x1b[31m row\n');
  });
});
