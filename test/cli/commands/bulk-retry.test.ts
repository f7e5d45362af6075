import { expect, it } from 'vitest';
import { dispatched, documentOf, makeProject } from '../project.ts';

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
