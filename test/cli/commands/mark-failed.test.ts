import { describe, expect, it } from 'vitest';
import { closeGate, gateConfig } from '../gate.ts';
import { dispatched, documentOf, makeProject } from '../project.ts';

const unknown = '01900000-0000-7000-8000-000000000000';

describe('redrive mark-failed', () => {
  it('moves queued jobs, and refuses a running one by its id, F47', async () => {
    const project = await makeProject({ config: gateConfig });
    const open = closeGate();
    const running = await dispatched(project, 'gate');
    const worker = project.terminal();
    const working = worker.run('work', '--once');
    await worker.shows('gate is open');
    const queued = await dispatched(project, 'gate');
    const delayed = await dispatched(project, 'gate', '--delay', '1h');

    const marked = await project.redrive('mark-failed', '--job-ids', `${queued}, ${running},${delayed},${unknown}`);
    open();
    await working;
    expect(marked).toEqual({
      code: 1,
      stdout: [
        `${queued}  failed`,
        `${running}  running  it has started; cancel it, or wait for its end`,
        `${delayed}  failed`,
        `${unknown}  not_found  there is no job of this id`,
        'Marked 2 job(s) as failed.',
        '',
      ].join('\n'),
      stderr: `redrive: 2 not marked as failed: ${running} (running), ${unknown} (not_found)\n`,
    });
    expect(documentOf(await project.redrive('status', running, '--json'))).toMatchObject({ status: 'successful' });
    const { items } = documentOf(await project.redrive('failed', '--json')) as { items: { jobId: string; kind: string }[] };
    expect(items.map(({ jobId, kind }) => [jobId, kind])).toEqual([
      [delayed, 'manual'],
      [queued, 'manual'],
    ]);
  });

  it('prints the answer of the API as one document with --json, F39', async () => {
    const project = await makeProject();
    const queued = await dispatched(project, 'ping');
    const ended = await dispatched(project, 'ping', '--queue', 'slow');
    await project.redrive('work', '--stop-when-empty', '--pool', 'slow');
    const marked = await project.redrive('mark-failed', queued, ended, '--json');
    expect(marked.code).toBe(1);
    expect(documentOf(marked)).toEqual({
      moved: [queued],
      outcomes: [
        { id: queued, status: 'failed' },
        { id: ended, status: 'not_queued' },
      ],
    });
    expect(marked.stderr).toBe(`redrive: 1 not marked as failed: ${ended} (not_queued)\n`);
  });

  it('records the reason and who asked', async () => {
    const project = await makeProject();
    const id = await dispatched(project, 'ping');
    expect(await project.redrive('mark-failed', '--job-ids', id, '--reason', 'The account is closed', '--by', 'ada')).toMatchObject({
      code: 0,
      stderr: '',
    });
    const { stdout } = await project.redrive('failed', 'show', id);
    expect(stdout).toContain('The account is closed');
    expect(stdout).toContain('ada');
  });

  it('says of digits that they are no job id', async () => {
    const project = await makeProject();
    expect(await project.redrive('mark-failed', '--job-ids', '7')).toMatchObject({
      code: 1,
      stdout: '7  not_found  there is no job of this id; digits are the number of a failed job\nMarked 0 job(s) as failed.\n',
    });
  });

  it('marks a job that it is given twice once', async () => {
    const project = await makeProject();
    const id = await dispatched(project, 'ping');
    expect(await project.redrive('mark-failed', id, '--job-ids', `${id},${id}`)).toMatchObject({
      code: 0,
      stdout: `${id}  failed\nMarked 1 job(s) as failed.\n`,
    });
  });
});
