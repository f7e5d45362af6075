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
});
