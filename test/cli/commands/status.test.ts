import { describe, expect, it } from 'vitest';
import { displayWidth } from '../../../src/cli/text.ts';
import { closeGate, gateConfig } from '../gate.ts';
import { dispatched, documentOf, makeProject } from '../project.ts';

const time = String.raw`\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}Z`;
const unknown = '01900000-0000-7000-8000-000000000000';

describe('redrive status', () => {
  it('says of a queued job that it has not started', async () => {
    const project = await makeProject();
    const id = await dispatched(project, 'emails.welcome', '--queue', 'high', '--delay', '1h');
    const { code, stdout, stderr } = await project.redrive('status', id);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      new RegExp(
        `^Job ${id}: emails.welcome\n  status         queued\n  queue          high\n  attempt        0 of 3\n  dispatched at  ${time}\n$`,
      ),
    );
  });

  it('shows the result of a successful job', async () => {
    const project = await makeProject();
    const id = await dispatched(project, 'ping');
    await project.redrive('work', '--stop-when-empty');
    const { code, stdout } = await project.redrive('status', id);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`  status         successful\n(.*\n)*  ended at       ${time}\n\nResult\n  "pong"\n$`));
  });

  it('shows why a job failed, lets nothing raw of it through, and says what comes next', async () => {
    const project = await makeProject();
    const id = await dispatched(project, 'reports.nightly');
    await project.redrive('work', '--stop-when-empty');
    const { code, stdout } = await project.redriveWith({ columns: 80 }, 'status', id);
    expect(code).toBe(0);
    expect(stdout).toContain('  status         failed\n');
    expect(stdout).toContain(String.raw`  exception      Unrecoverable: First \x1b]0;title\x07line\nsecond line`);
    expect(stdout).toContain(`Next\n  redrive failed show ${id}\n  redrive retry ${id}\n`);
    expect(stdout).not.toMatch(/[^\P{Cc}\n]/u);
    for (const line of stdout.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(80);
  });

  it('says picked of a job that runs', async () => {
    const project = await makeProject({ config: gateConfig });
    const open = closeGate();
    const id = await dispatched(project, 'gate');
    const worker = project.terminal();
    const working = worker.run('work', '--stop-when-empty');
    await worker.shows('gate is open');
    expect(documentOf(await project.redrive('status', id, '--json'))).toMatchObject({ id, status: 'picked', attempt: 1, endedAt: null });
    open();
    await working;
  });

  it('prints the answer of the API as one document with --json', async () => {
    const project = await makeProject();
    const id = await dispatched(project, 'emails.welcome');
    const iso = expect.stringMatching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/);
    expect(documentOf(await project.redrive('status', id, '--json'))).toEqual({
      id,
      name: 'emails.welcome',
      queue: 'default',
      status: 'queued',
      attempt: 0,
      maxAttempts: 3,
      createdAt: iso,
      startedAt: null,
      endedAt: null,
    });
  });

  it('takes the number of a failed job for that job', async () => {
    const project = await makeProject();
    const id = await dispatched(project, 'reports.nightly');
    await project.redrive('work', '--stop-when-empty');
    expect(await project.redrive('status', '1')).toMatchObject({ code: 0, stdout: expect.stringContaining(`Job ${id}: reports.nightly`) });
  });

  it('does not claim to know how many attempts there may be where it has no config', async () => {
    const project = await makeProject();
    const id = await dispatched(project, 'emails.welcome');
    expect((await project.redrive('status', id, '--database', 'app.db')).stdout).toContain('  attempt        0\n');
  });

  it.each([[unknown], ['99'], ['no-such-id']])('exits 1 for %s, which nobody knows', async (id) => {
    const project = await makeProject();
    expect(await project.redrive('status', id)).toEqual({
      code: 1,
      stdout: '',
      stderr: `redrive: there is no job ${id}, or it is not kept any more (JOB_NOT_FOUND)\n`,
    });
    const { code, stdout } = await project.redrive('status', id, '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'JOB_NOT_FOUND' } });
  });
});
