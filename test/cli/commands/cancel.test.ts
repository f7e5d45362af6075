import { describe, expect, it } from 'vitest';
import { closeGate, gateConfig } from '../gate.ts';
import { dispatched, documentOf, makeProject } from '../project.ts';

const unknown = '01900000-0000-7000-8000-000000000000';

describe('redrive cancel', () => {
  it('ends queued and delayed jobs, which never start', async () => {
    const project = await makeProject();
    const ids = [await dispatched(project, 'ping'), await dispatched(project, 'ping', '--delay', '1h')];
    expect(await project.redrive('cancel', ...ids)).toEqual({
      code: 0,
      stdout: `${ids[0]}  canceled\n${ids[1]}  canceled\nCancelled 2 job(s).\n`,
      stderr: '',
    });
    expect(documentOf(await project.redrive('work', '--stop-when-empty', '--json'))).toMatchObject({ completed: 0 });
    expect(documentOf(await project.redrive('status', ids[0]!, '--json'))).toMatchObject({ status: 'canceled' });
    expect((await project.redrive('failed', '--status', 'any')).stdout).toBe('No failed jobs.\n');
  });

  it('tells a running job to stop, and says that it has yet to', async () => {
    const project = await makeProject({ config: gateConfig });
    const open = closeGate();
    const id = await dispatched(project, 'gate');
    const worker = project.terminal();
    const working = worker.run('work', '--once');
    await worker.shows('gate is open');
    const { code, stdout } = await project.redrive('cancel', id);
    open();
    await working;
    expect(code).toBe(0);
    expect(stdout).toBe(
      `${id}  cancelling  it runs; its worker stops it when it next renews its lease\nCancelled 0 job(s), and told 1 running job(s) to stop.\n`,
    );
  });

  it('exits 1 and names those that had ended or are not there, F39', async () => {
    const project = await makeProject();
    const ended = await dispatched(project, 'ping');
    await project.redrive('work', '--stop-when-empty');
    const queued = await dispatched(project, 'ping');
    const { code, stdout, stderr } = await project.redrive('cancel', ended, queued, unknown, '3', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      canceled: 1,
      cancelling: 0,
      outcomes: [
        { id: ended, status: 'ended' },
        { id: queued, status: 'canceled' },
        { id: unknown, status: 'not_found' },
        { id: '3', status: 'not_found' },
      ],
    });
    expect(stderr).toBe(`redrive: 3 not cancelled: ${ended} (ended), ${unknown} (not_found), 3 (not_found)\n`);
  });
});
