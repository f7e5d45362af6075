import { describe, expect, it } from 'vitest';
import { documentOf, makeProject } from '../project.ts';

const config = (rest: string): string => `
import { defineConfig, defineJob } from 'redrive';
import { DatabaseProvider } from 'redrive/providers/database';
const gate = defineJob({ name: 'gate', handle: async (job) => { job.log.info({}, 'gate is open'); await globalThis.gateOfTest; } });
export default defineConfig({
  connections: { main: { provider: DatabaseProvider, properties: { client: 'better-sqlite3', connection: { filename: new URL('app.db', import.meta.url).pathname } } } },
  jobs: [gate], logFailedJobs: true, ${rest}
});
`;
const onePool = "workerPools: { main: { connection: 'main' } }";

/** A job that runs until it is let go. */
function closeGate(): () => void {
  let open = (): void => undefined;
  (globalThis as { gateOfTest?: Promise<void> }).gateOfTest = new Promise((resolve) => (open = resolve));
  return open;
}

describe('redrive work', () => {
  it('works until nothing is left, and counts what it did', async () => {
    const project = await makeProject();
    for (const name of ['ping', 'ping', 'emails.welcome', 'reports.nightly']) await project.redrive('dispatch', name);
    expect(await project.redrive('work', '--stop-when-empty')).toMatchObject({
      code: 0,
      stdout: '2 completed, 4 attempt(s) failed, 2 job(s) failed.\n',
    });
    expect(documentOf(await project.redrive('work', '--stop-when-empty', '--json'))).toEqual({
      completed: 0,
      attemptsFailed: 0,
      jobsFailed: 0,
    });
  });

  it('works one job with --once, and none where there is none', async () => {
    const project = await makeProject();
    for (const name of ['ping', 'ping']) await project.redrive('dispatch', name);
    const counts: unknown[] = [];
    for (let time = 0; time < 3; time += 1) counts.push(documentOf(await project.redrive('work', '--once', '--json')));
    expect(counts).toMatchObject([{ completed: 1 }, { completed: 1 }, { completed: 0 }]);
  });

  it('runs only the pools it is told to', async () => {
    const project = await makeProject();
    await project.redrive('dispatch', 'ping', '--queue', 'slow');
    expect(documentOf(await project.redrive('work', '--stop-when-empty', '--json', '--pool', 'mail'))).toMatchObject({ completed: 0 });
    expect(documentOf(await project.redrive('work', '--stop-when-empty', '--json', '--pool', 'mail', 'slow'))).toMatchObject({
      completed: 1,
    });
  });

  it('leaves jobs that were dispatched with a delay alone unless told to wait for them', async () => {
    const [patient, project] = [await makeProject(), await makeProject()];
    await patient.redrive('dispatch', 'ping', '--delay', '1h');
    expect(documentOf(await patient.redrive('work', '--stop-when-empty', '--json'))).toMatchObject({ completed: 0 });
    await project.redrive('dispatch', 'ping', '--delay', '200ms');
    expect(documentOf(await project.redrive('work', '--stop-when-empty', '--include-delayed', '--json'))).toMatchObject({ completed: 1 });
  });

  it('creates a missing SQLite file and its tables', async () => {
    const project = await makeProject({ migrated: false });
    expect(await project.redrive('work', '--once')).toMatchObject({ code: 0 });
  });

  it('exits 2 for a pool that is not there, naming the one that was meant', async () => {
    const project = await makeProject();
    expect(await project.redrive('work', '--pool', 'mial')).toMatchObject({
      code: 2,
      stderr: 'redrive: there is no worker pool "mial" (did you mean "mail"?); the config has mail, slow\n',
    });
  });

  it('exits 2 for a config without pools, saying what to add, and for one that only dispatches', async () => {
    const none = await makeProject({ migrated: false, config: config('') });
    expect(await none.redrive('work')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("workerPools: { main: { connection: 'main' } }"),
    });
    const off = await makeProject({ migrated: false, config: config(`${onePool}, registerWorkers: false`) });
    expect(await off.redrive('work')).toMatchObject({ code: 2, stderr: expect.stringContaining('registerWorkers') });
  });

  it('logs JSON lines on stderr, and for people where that is a terminal', async () => {
    const project = await makeProject();
    const piped = await project.redrive('work', '--once');
    expect(JSON.parse(piped.stderr.split('\n')[0] ?? '')).toMatchObject({
      level: 30,
      pool: 'mail',
      connection: 'main',
      queues: ['high', 'default'],
      quantity: 2,
    });
    const shown = await project.redriveWith({ columns: 80, env: { NO_COLOR: '1' } }, 'work', '--once');
    expect(shown.stderr).toMatch(/^\[\d\d:\d\d:\d\d\] INFO: Pool mail: 2 at a time from queues high, default of connection main\n/);
    expect(shown.stderr).not.toContain('\u001b');
  });

  it('shows a failure with its stack on a terminal, and none of the control characters of its message', async () => {
    const project = await makeProject();
    await project.redrive('dispatch', 'reports.nightly');
    const { stderr } = await project.redriveWith({ columns: 80, env: { NO_COLOR: '1' } }, 'work', '--stop-when-empty');
    expect(stderr).toContain('\\x1b]0;title\\x07line');
    expect(stderr).toMatch(/^ {4}at .*redrive\.config\.ts/m);
    expect(stderr).not.toMatch(/[^\P{Cc}\n]/u);
  });

  it('shows the stack of an exception of any type once', async () => {
    const failing = onePool.replace(
      'workerPools',
      "jobs: [defineJob({ name: 'plain', handle: () => { throw new Error('plain'); } })], workerPools",
    );
    const project = await makeProject({ config: config(failing).replace('jobs: [gate], ', '') });
    await project.redrive('dispatch', 'plain');
    const { stderr } = await project.redriveWith({ columns: 80, env: { NO_COLOR: '1' } }, 'work', '--stop-when-empty');
    expect(stderr.match(/at .*redrive\.config\.ts/g)).toHaveLength(1);
  });

  it('lets the running job finish after a first signal, and says what a second would do', async () => {
    const project = await makeProject({ config: config(onePool) });
    const open = closeGate();
    await project.redrive('dispatch', 'gate');
    const terminal = project.terminal();
    const running = terminal.run('work', '--json');
    await terminal.shows('gate is open');
    terminal.send('SIGTERM');
    await terminal.shows('a second signal stops at once');
    open();
    expect(await running).toMatchObject({ code: 0 });
    expect(JSON.parse(terminal.stdout)).toMatchObject({ completed: 1 });
    expect(terminal.exits).toEqual([]);
    expect(terminal.listeners).toBe(0);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends at once at a second signal, %s', async (signal, code) => {
    const project = await makeProject({ config: config(onePool) });
    const open = closeGate();
    await project.redrive('dispatch', 'gate');
    const terminal = project.terminal();
    const running = terminal.run('work');
    await terminal.shows('gate is open');
    terminal.send('SIGTERM');
    terminal.send(signal);
    expect(terminal.exits).toEqual([code]);
    open();
    await running;
  });

  it('stops waiting for an empty queue when a signal comes first', async () => {
    const project = await makeProject({ config: config(onePool) });
    const open = closeGate();
    await project.redrive('dispatch', 'gate');
    const terminal = project.terminal();
    const running = terminal.run('work', '--stop-when-empty');
    await terminal.shows('gate is open');
    terminal.send('SIGINT');
    open();
    expect(await running).toMatchObject({ code: 0, stdout: '1 completed, 0 attempt(s) failed, 0 job(s) failed.\n' });
  });

  it('logs a rejection that nobody awaited and works on; an uncaught exception stops it gracefully with exit 1', async () => {
    const project = await makeProject({ config: config(onePool) });
    const open = closeGate();
    await project.redrive('dispatch', 'gate');
    const terminal = project.terminal();
    const running = terminal.run('work');
    await terminal.shows('gate is open');
    terminal.fault('unhandledRejection', new Error('stray promise'));
    await terminal.shows('stray promise');
    terminal.fault('uncaughtException', new Error('stray throw'));
    await terminal.shows('stray throw');
    open();
    expect(await running).toMatchObject({ code: 1, stdout: '1 completed, 0 attempt(s) failed, 0 job(s) failed.\n' });
    expect(terminal.exits).toEqual([]);
  });
});
