import type { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { dispatched, documentOf, makeProject, type Project } from '../project.ts';
import type { Ran } from '../terminal.ts';

/** Failed jobs 1 to 3: the first on queue slow, then two on queue high. */
async function withFailures(): Promise<{ project: Project; ids: string[] }> {
  const project = await makeProject();
  const ids: string[] = [];
  for (const queue of ['slow', 'high', 'high']) {
    ids.push(await dispatched(project, 'reports.nightly', '--queue', queue));
    await project.redrive('work', '--once');
  }
  return { project, ids };
}

async function failedNumbers(project: Project): Promise<number[]> {
  const { items } = documentOf(await project.redrive('failed', '--status', 'any', '--json')) as { items: { id: number }[] };
  return items.map(({ id }) => id);
}

describe('redrive forget', () => {
  it('removes the jobs named without asking, prints how many went, and names those that stayed, F39', async () => {
    const { project, ids } = await withFailures();
    await project.redrive('retry', '3');
    expect(await project.redrive('forget', '1', ids[1]!, '3', '77')).toEqual({
      code: 1,
      stdout: [
        '1  removed',
        `${ids[1]}  removed`,
        '3  retrying  it is being retried; forget it when that has ended',
        '77  not_found  there is no failed job of this id',
        'Removed 2 job(s).',
        '',
      ].join('\n'),
      stderr: 'redrive: 2 not removed: 3 (retrying), 77 (not_found)\n',
    });
    expect(await failedNumbers(project)).toEqual([3]);
    expect(await project.redrive('status', ids[0]!)).toMatchObject({ code: 1 });
  });

  it('prints { removed, outcomes } with --json', async () => {
    const { project } = await withFailures();
    const ran = await project.redrive('forget', '2', '--json');
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(documentOf(ran)).toEqual({ removed: 1, outcomes: [{ id: 2, status: 'removed' }] });
  });

  it('removes nothing by a filter where there is no terminal to ask on and no --yes', async () => {
    const { project } = await withFailures();
    expect(await project.redrive('forget', '--queue', 'high')).toEqual({
      code: 2,
      stdout: '',
      stderr: 'redrive: This removes 2 failed job(s) for good: say --yes, since there is no terminal to ask on; nothing was done\n',
    });
    expect(await failedNumbers(project)).toEqual([3, 2, 1]);
    expect(await project.redrive('forget', '--queue', 'high', '--yes')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/Removed 2 job\(s\)\.\n$/),
      stderr: '',
    });
    expect(await failedNumbers(project)).toEqual([1]);
  });

  const ask = (project: Project, answer: string | Readable, ...flags: string[]): Promise<Ran> =>
    project.redriveWith({ columns: 80, stdin: answer }, 'forget', '--type', 'Unrecoverable', ...flags);

  it.each(['y\n', ' Yes \n'])('asks on a terminal, and goes on after %j', async (answer) => {
    const { project } = await withFailures();
    const { code, stdout, stderr } = await ask(project, answer);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^This removes 3 failed job\(s\) for good\. Go on\? \[y\/N\] \r/);
    expect(stdout).toMatch(/Removed 3 job\(s\)\.\n$/);
    expect(await failedNumbers(project)).toEqual([]);
  });

  it.each(['\n', 'n\n', 'yesterday\n', ''])('removes nothing after %j', async (answer) => {
    const { project } = await withFailures();
    expect(await ask(project, answer)).toMatchObject({ code: 1, stdout: 'Nothing was removed.\n' });
    expect(documentOf(await ask(project, answer, '--json'))).toEqual({ removed: 0, outcomes: [] });
    expect(await failedNumbers(project)).toEqual([3, 2, 1]);
  });

  it('asks nothing where nothing matches', async () => {
    const { project } = await withFailures();
    expect(await project.redrive('forget', '--job', 'ping')).toEqual({ code: 0, stdout: 'Removed 0 job(s).\n', stderr: '' });
    expect(await project.redrive('forget', '--job', 'report.nightly')).toMatchObject({
      code: 0,
      stdout: 'Removed 0 job(s) of report.nightly (did you mean "reports.nightly"?).\n',
    });
  });

  it('removes resolved ones only where they are asked for', async () => {
    const { project } = await withFailures();
    await project.redrive('resolve', '1');
    await project.redrive('forget', '--status', 'resolved', '--yes');
    expect(await failedNumbers(project)).toEqual([3, 2]);
  });
});
