import { describe, expect, it } from 'vitest';
import { dispatched, documentOf, makeProject, type Project } from '../project.ts';

/** Failed jobs 1 to 3: the first on queue slow, then two on queue high. */
async function withFailures(): Promise<Project> {
  const project = await makeProject();
  for (const queue of ['slow', 'high', 'high']) {
    await dispatched(project, 'reports.nightly', '--queue', queue);
    await project.redrive('work', '--once');
  }
  return project;
}

async function numbers(project: Project): Promise<number[]> {
  const { items } = documentOf(await project.redrive('failed', '--status', 'any', '--json')) as { items: { id: number }[] };
  return items.map(({ id }) => id);
}

describe('redrive prune and flush, F48 and F49', () => {
  it('remove what is old, of a queue, and all, and print how many really went', async () => {
    const project = await withFailures();
    expect(await project.redrive('prune', '--older-than', '30d', '--yes')).toEqual({ code: 0, stdout: 'Removed 0 job(s).\n', stderr: '' });
    expect(await project.redrive('prune', '--keep', '1', '--queue', 'high', '--yes')).toMatchObject({ stdout: 'Removed 1 job(s).\n' });
    expect(await numbers(project)).toEqual([3, 1]);
    expect(documentOf(await project.redrive('prune', '--keep', '1', '--yes', '--json'))).toEqual({ removed: 1 });
    expect(await numbers(project)).toEqual([3]);
    expect(documentOf(await project.redrive('flush', '--queue', 'slow', '--yes', '--json'))).toEqual({ removed: 0, outcomes: [] });
    expect(await project.redrive('flush', '--yes')).toEqual({ code: 0, stdout: 'Removed 1 job(s).\n', stderr: '' });
    expect(await numbers(project)).toEqual([]);
  });

  it('ask first, and need --yes where there is nobody to ask', async () => {
    const project = await withFailures();
    expect(await project.redrive('flush')).toMatchObject({ code: 2, stderr: expect.stringContaining('say --yes') });
    expect(await project.redrive('prune', '--keep', '0')).toMatchObject({ code: 2, stderr: expect.stringContaining('say --yes') });
    expect(await project.redriveWith({ columns: 80, stdin: 'n\n' }, 'flush')).toMatchObject({ code: 1, stdout: 'Nothing was removed.\n' });
    expect(await project.redrive('prune', '--yes')).toMatchObject({ code: 2, stderr: expect.stringContaining('say which are old') });
    expect(await numbers(project)).toEqual([3, 2, 1]);
  });

  it('say on a terminal how many would go, and while they go how far it is; stdout has the outcome alone', async () => {
    const project = await withFailures();
    await project.redrive('resolve', '1');
    const yes = { columns: 80, stdin: 'y\n' };
    const pruned = await project.redriveWith(yes, 'prune', '--older-than', '0', '--keep', '1');
    expect(pruned).toMatchObject({ code: 0, stdout: 'Removed 2 job(s).\n' });
    expect(pruned.stderr).toMatch(/^This removes 2 failed job\(s\) older than 0s but the newest 1 for good\. Go on\? \[y\/N\] \r/);
    expect(pruned.stderr).toContain('\r\u001b[KRemoving failed jobs  [########################################]  100%  2 of 2');
    expect(pruned.stderr.endsWith('\r\u001b[K')).toBe(true);
    const flushed = await project.redriveWith(yes, 'flush', '--json');
    expect(documentOf(flushed)).toMatchObject({ removed: 1 });
    expect(flushed.stderr).toContain('100%  1 of 1');
    expect(await project.redriveWith({ columns: 80, stdin: 'n\n' }, 'prune', '--keep', '0')).toMatchObject({ code: 1 });
  });
});
