import { describe, expect, it } from 'vitest';
import { age } from '../../../src/cli/commands/stats.ts';
import { displayWidth } from '../../../src/cli/text.ts';
import { documentOf, makeProject, type Project } from '../project.ts';

/** On queue default two jobs are ready, one is delayed and one is completed; on queue slow one has failed. */
async function withJobs(): Promise<Project> {
  const project = await makeProject();
  await project.redrive('dispatch', 'ping');
  await project.redrive('dispatch', 'reports.nightly', '--queue', 'slow');
  await project.redrive('work', '--stop-when-empty');
  for (const flags of [[], [], ['--delay', '1h']]) await project.redrive('dispatch', 'ping', ...flags);
  return project;
}

const cells = (stdout: string): string[][] =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().split(/ {2,}/));

describe('redrive stats', () => {
  it('prints a line a queue', async () => {
    const project = await withJobs();
    const { code, stdout, stderr } = await project.redrive('stats');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(cells(stdout)).toEqual([
      ['QUEUE', 'READY', 'DELAYED', 'RESERVED', 'FAILED', 'COMPLETED', 'OLDEST READY'],
      ['default', '2', '1', '0', '0', '1', expect.stringMatching(/^\d+s$/)],
      ['slow', '0', '0', '0', '1', '0', '-'],
    ]);
  });

  it('prints an array with --json, also of one queue', async () => {
    const project = await withJobs();
    const slow = { queue: 'slow', ready: 0, delayed: 0, reserved: 0, failed: 1, completed: 0, oldestReadyAge: null };
    expect(documentOf(await project.redrive('stats', '--json'))).toEqual([
      { queue: 'default', ready: 2, delayed: 1, reserved: 0, failed: 0, completed: 1, oldestReadyAge: expect.any(Number) },
      slow,
    ]);
    expect(documentOf(await project.redrive('stats', '--queue', 'slow', '--json'))).toEqual([slow]);
  });

  it('shows a queue that nobody has used yet as empty', async () => {
    const project = await withJobs();
    expect(cells((await project.redrive('stats', '--queue', 'new')).stdout).slice(1)).toEqual([['new', '0', '0', '0', '0', '0', '-']]);
  });

  it('says that there are no jobs yet', async () => {
    const project = await makeProject();
    expect(await project.redrive('stats')).toEqual({ code: 0, stdout: 'No jobs yet.\n', stderr: '' });
    expect(documentOf(await project.redrive('stats', '--json'))).toEqual([]);
  });

  it('fits 80 columns with every number, and narrower ones with fewer', async () => {
    const project = await makeProject();
    await project.redrive('dispatch', 'ping', '--queue', 'a-queue-with-a-name-of-forty-characters-x', '--database', 'app.db');
    for (const columns of [120, 80, 60, 40]) {
      const { stdout } = await project.redriveWith({ columns }, 'stats');
      for (const line of stdout.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
      expect(stdout).toContain('READY');
      expect(stdout.includes('COMPLETED')).toBe(columns >= 80);
    }
  });

  it('works with --database alone, and exits 1 where that is missing', async () => {
    const project = await withJobs();
    expect(await project.redrive('stats', '--database', 'app.db')).toMatchObject({ code: 0, stdout: expect.stringContaining('slow') });
    expect(await project.redrive('stats', '--database', 'none.db')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('STORE_MISSING'),
    });
  });
});

describe('the age of a job', () => {
  it.each([
    [0, '0s'],
    [0.9, '0s'],
    [59.9, '59s'],
    [60, '1m'],
    [192, '3m 12s'],
    [3_600, '1h'],
    [3_661, '1h 1m'],
    [90_000, '1d 1h'],
    [864_059, '10d'],
  ])('of %d seconds is shown as %s', (seconds, shown) => {
    expect(age(seconds)).toBe(shown);
  });
});
