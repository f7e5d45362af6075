import { describe, expect, it } from 'vitest';
import { dispatched, documentOf, makeProject } from '../project.ts';

describe('redrive resolve', () => {
  it('takes failed jobs off the list, keeps them on record with the note, and says which were none, F39', async () => {
    const project = await makeProject();
    await project.redrive('dispatch', 'reports.nightly');
    const second = await dispatched(project, 'reports.nightly');
    await project.redrive('dispatch', 'reports.nightly');
    await project.redrive('work', '--stop-when-empty');
    await project.redrive('retry', '3');

    expect(await project.redrive('resolve', '1', second, '3', '9', '--note', 'sent by hand \u001b[31m')).toEqual({
      code: 1,
      stdout: [
        '1  resolved',
        `${second}  resolved`,
        '3  not_failed  it is being retried, or resolved already',
        '9  not_found  there is no failed job of this id',
        'Resolved 2 job(s).',
        '',
      ].join('\n'),
      stderr: 'redrive: 2 not resolved: 3 (not_failed), 9 (not_found)\n',
    });
    expect((await project.redrive('failed')).stdout).toBe('No failed jobs.\n');
    expect(documentOf(await project.redrive('failed', '--status', 'resolved', '--json'))).toMatchObject({ items: [{ id: 2 }, { id: 1 }] });
    const { stdout } = await project.redrive('failed', 'show', '1');
    expect(stdout).toContain(String.raw`sent by hand \x1b[31m`);
    expect(stdout).toContain('status         resolved');
  });

  it('prints the answer of the API as one document with --json, and exits 0 where all was done', async () => {
    const project = await makeProject();
    await project.redrive('dispatch', 'reports.nightly');
    await project.redrive('work', '--stop-when-empty');
    const { code, stdout, stderr } = await project.redrive('resolve', '1', '--by', 'ada', '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({ resolved: 1, outcomes: [{ id: 1, status: 'resolved' }] });
  });
});
