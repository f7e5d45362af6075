import { describe, expect, it } from 'vitest';
import { documentOf, makeProject } from '../project.ts';

describe('redrive pause and resume', () => {
  it('hand out nothing of a queue, and hand it out again', async () => {
    const project = await makeProject();
    await project.redrive('dispatch', 'ping', '--queue', 'slow');
    expect(await project.redrive('pause', 'slow')).toEqual({
      code: 0,
      stdout: 'Paused queue slow. It goes on with: redrive resume slow\n',
      stderr: '',
    });
    expect((await project.redrive('stats')).stdout).toMatch(/^slow \(paused\) +1 /m);
    expect(documentOf(await project.redrive('stats', '--queue', 'slow', '--json'))).toMatchObject([
      { queue: 'slow', ready: 1, paused: true },
    ]);
    const worked = await project.redrive('work', '--stop-when-empty', '--json');
    expect(documentOf(worked)).toMatchObject({ completed: 0 });
    expect(worked.stderr).toContain('Queue slow is paused: nothing of it is worked before redrive resume slow');
    expect(await project.redrive('resume', 'slow')).toEqual({ code: 0, stdout: 'Resumed queue slow.\n', stderr: '' });
    expect((await project.redrive('stats')).stdout).not.toContain('paused');
    expect(documentOf(await project.redrive('work', '--stop-when-empty', '--json'))).toMatchObject({ completed: 1 });
  });

  it('are no faults where nothing is left to do', async () => {
    const project = await makeProject();
    await project.redrive('pause', 'slow');
    expect(await project.redrive('pause', 'slow')).toEqual({ code: 0, stdout: 'Queue slow was paused already.\n', stderr: '' });
    await project.redrive('resume', 'slow');
    expect(await project.redrive('resume', 'slow')).toEqual({ code: 0, stdout: 'Queue slow was not paused.\n', stderr: '' });
  });

  it('print one document with --json', async () => {
    const project = await makeProject();
    expect(documentOf(await project.redrive('pause', 'slow', '--by', 'ada', '--json'))).toEqual({
      queue: 'slow',
      paused: true,
      changed: true,
    });
    expect(documentOf(await project.redrive('pause', 'slow', '--json'))).toEqual({ queue: 'slow', paused: true, changed: false });
    expect(documentOf(await project.redrive('resume', 'slow', '--json'))).toEqual({ queue: 'slow', paused: false, changed: true });
    expect(documentOf(await project.redrive('resume', 'slow', '--json'))).toEqual({ queue: 'slow', paused: false, changed: false });
  });

  it('name the queue that was meant where no pool serves the one named, and do as they are told', async () => {
    const project = await makeProject();
    const warning =
      'redrive: warning: no worker pool of this config serves queue hihg (did you mean "high"?); they serve high, default, slow\n';
    expect(await project.redrive('pause', 'hihg')).toMatchObject({ code: 0, stderr: warning });
    expect(await project.redrive('resume', 'hihg')).toMatchObject({ code: 0, stderr: '' });
    expect(await project.redrive('resume', 'hihg')).toMatchObject({ code: 0, stdout: 'Queue hihg was not paused.\n', stderr: warning });
  });

  it('lead to the same store again, with the name of the queue as a shell wants it', async () => {
    const project = await makeProject();
    const { stdout, stderr } = await project.redrive('pause', 'my \u001b[31m queue', '--database', 'app.db');
    expect(stdout).toContain(String.raw`redrive resume --database app.db 'my \x1b[31m queue'`);
    expect(stderr).toBe('');
  });
});
