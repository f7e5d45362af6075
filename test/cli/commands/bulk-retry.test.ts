import { expect, it } from 'vitest';
import type { Cli } from '../../../src/cli/cli.ts';
import { followBulkRetry, patientLogger } from '../../../src/cli/follow-bulk-retry.ts';
import { Output } from '../../../src/cli/output.ts';
import type { BulkRetry } from '../../../src/failure/bulk-retry.ts';
import { RedriveError } from '../../../src/index.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { dispatched, documentOf, makeProject } from '../project.ts';
import { Terminal } from '../terminal.ts';

it('redrive retry --rate is a bulk retry, F44: followed to its end, listed, shown, and steered no more', async () => {
  const project = await makeProject();
  expect((await project.redrive('bulk-retry')).stdout).toBe('No bulk retries.\n');
  for (let n = 0; n < 3; n += 1) await dispatched(project, 'reports.nightly');
  await project.redrive('work', '--stop-when-empty');
  const { code, stdout } = await project.redrive('retry', '--all', '--rate', '100/s', '--by', 'ann');
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: 'Bulk retry 1 done: 3 of 3 moved, 0 skipped, 0 succeeded, 0 failed again\nRe-queued 3 job(s).\n',
  });
  await project.redrive('work', '--stop-when-empty');
  const watched = await project.redriveWith({ columns: 80 }, 'retry', '--all', '--rate', '100/s', '--json');
  expect(documentOf(watched)).toMatchObject({ id: 2, moved: 3 });
  expect(watched.stderr).toMatch(/\[KBulk retry 2 {2}\[[#.]+\] +\d+% {2}\d of 3/);
  expect(watched.stderr.endsWith('\r\u001b[K')).toBe(true);
  await project.redrive('work', '--stop-when-empty');
  expect(documentOf(await project.redrive('bulk-retry', '1', '--json'))).toMatchObject({ id: 1, by: 'ann', moved: 3, failedAgain: 3 });
  expect(await project.redrive('bulk-retry', '1', '--pause')).toMatchObject({ code: 1, stderr: expect.stringContaining('is done') });
  expect(await project.redrive('bulk-retry', '9')).toMatchObject({ code: 1, stderr: expect.stringContaining('no bulk retry 9') });
  expect(await project.redrive('retry', '--all', '--rate', '0/s')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('never move'),
  });
  expect(await project.redrive('retry', '1', '--properties', 'nope')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('JSON object'),
  });
  expect((await project.redrive('retry', '1', '--properties', '{"n":2}')).stdout).toContain('Re-queued 1 job(s).');
});

it('F44: a bulk retry whose store is away for a while is followed all the same; for longer than 10 s it is given up, with how it goes on', async () => {
  const clock = new VirtualClock();
  const terminal = new Terminal();
  const io = terminal.io();
  const cli = { io, out: new Output(io, clock), services: { clock }, exitCode: 0 } as unknown as Cli;
  let isAway = false;
  const refresh = async (): Promise<void> => {
    if (isAway) throw new RedriveError('STORE_UNREACHABLE', 'PostgreSQL at db:5432 cannot be reached: refused.');
  };
  const bulk = { id: 7, state: 'running', matched: 9, moved: 1, skipped: 0, failedAgain: 0, underWay: 1 };
  let fault: unknown;
  const how = { by: 'ann', store: ' --database app.db', logger: patientLogger(cli, {}), pauses: true };
  followBulkRetry({ ...bulk, refresh, done: new Promise(() => {}) } as unknown as BulkRetry, how, cli).catch(
    (error: unknown) => (fault = error),
  );
  const pass = async (seconds: number): Promise<void> => {
    for (let half = 0; half < seconds * 2; half += 1) await clock.advance('500ms');
  };
  isAway = true;
  await pass(8);
  isAway = false;
  await pass(4);
  isAway = true;
  await pass(10);
  expect(fault).toBeUndefined();
  how.logger.warn({}, 'A bulk retry could not go on; trying again');
  await pass(6);
  expect(fault).toMatchObject({
    code: 'STORE_UNREACHABLE',
    message:
      'bulk retry 7 cannot be followed any more: PostgreSQL at db:5432 cannot be reached: refused. What it has moved stays moved; once the store is back, a running pool or redrive serve goes on with it, or: redrive bulk-retry --database app.db 7 --watch',
  });
  expect(terminal.listeners).toBe(0);
  expect(terminal.stderr).not.toContain('redrive:');
});
