import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { displayWidth } from '../../../src/cli/text.ts';
import { bar, sparkline } from '../../../src/cli/spark.ts';
import { documentOf, makeProject, type Project } from '../project.ts';

let project: Project;
beforeAll(async () => {
  project = await makeProject({ shared: true });
  for (const day of ['1', '2']) await project.redrive('dispatch', 'reports.nightly', `{"day":${day}}`, '--queue', 'slow');
  await project.redrive('dispatch', 'emails.welcome', '{"userId":1}');
  await project.redrive('work', '--stop-when-empty');
});
afterAll(() => project.remove());

describe('redrive failed groups', () => {
  it('prints a row a group, the largest first, and how to see one', async () => {
    const { code, stdout, stderr } = await project.redrive('failed', 'groups');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.split('\n');
    expect(lines[0]?.split(/ {2,}/)).toEqual(['COUNT', 'JOB', 'TYPE', 'MESSAGE', 'FIRST', 'LAST', 'TREND', 'GROUP']);
    expect(lines[1]).toMatch(/^2 +reports\.nightly +Unrecoverable .* [.]{22,23}█[.]? +[0-9a-f]{16}$/);
    expect(lines[2]).toMatch(/^1 +emails\.welcome +MailboxFull/);
    const next = /redrive (failed --group [0-9a-f]{16})$/m.exec(stdout)?.[1] ?? '';
    expect(documentOf(await project.redrive(...next.split(' '), '--json'))).toMatchObject({
      items: [{ id: expect.any(Number) }, { id: expect.any(Number) }],
    });
  });

  it('fits a terminal of any width', async () => {
    for (const columns of [200, 120, 80, 60, 40]) {
      const { stdout } = await project.redriveWith({ columns }, 'failed', 'groups');
      for (const line of stdout.split('\n').slice(0, 5)) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
    }
  });

  it('prints the groups of a filter as JSON', async () => {
    expect(documentOf(await project.redrive('failed', 'groups', '--queue', 'slow', '--json'))).toMatchObject([
      { job: 'reports.nightly', count: 2, trend: expect.any(Array), sampleId: expect.any(Number), releases: ['v7'] },
    ]);
    expect(documentOf(await project.redrive('failed', 'groups', '--kind', 'timeout', '--json'))).toEqual([]);
    expect((await project.redrive('failed', 'groups', '--limit', '0')).code).toBe(2);
  });
});

describe('redrive failed stats', () => {
  it('prints failures by type, by hour with bars, and by queue', async () => {
    for (const columns of [undefined, 80, 40]) {
      const { code, stdout } = await project.redriveWith({ columns }, 'failed', 'stats', '--since', '24h');
      expect(code).toBe(0);
      expect(stdout).toMatch(/^By type\nCOUNT +TYPE\n2 +Unrecoverable\n1 +MailboxFull\n/);
      expect(stdout).toMatch(/\nBy hour, UTC\n(\d{4}-\d{2}-\d{2} \d{2}:00 +\d(?: +█+)?\n){25}/);
      expect(stdout).toMatch(/\n2 +slow /);
      for (const line of stdout.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(columns ?? 200);
    }
  });

  it('shows days where hours would be too many, and refuses more than 90 of them', async () => {
    expect((await project.redrive('failed', 'stats', '--since', '5d')).stdout).toMatch(
      /\nBy day, UTC\n(\d{4}-\d{2}-\d{2} +\d(?: +█+)?\n){6}/,
    );
    expect(await project.redrive('failed', 'stats', '--since', '91d')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('at most 90 days'),
    });
  });

  it('prints JSON, and says that there are none', async () => {
    const { byType, byHour, byQueue } = documentOf(await project.redrive('failed', 'stats', '--json')) as Record<
      string,
      { count?: number; total?: number }[]
    >;
    expect(byType).toEqual([
      { type: 'Unrecoverable', count: 2 },
      { type: 'MailboxFull', count: 1 },
    ]);
    expect(byHour).toHaveLength(24);
    expect(byQueue?.map(({ total }) => total)).toEqual([2, 1]);
    expect((await project.redrive('failed', 'stats', '--kind', 'timeout')).stdout).toBe('No failed jobs.\n');
  });
});

describe('bars', () => {
  it('are as long as their count is large, and never nothing for something', () => {
    expect([bar(0, 10, 20), bar(1, 1_000, 20), bar(5, 10, 20), bar(10, 10, 20)]).toEqual(['', '█', '█'.repeat(10), '█'.repeat(20)]);
    expect(sparkline([0, 1, 4, 8])).toBe('.▁▄█');
    expect(sparkline([])).toBe('');
  });
});
