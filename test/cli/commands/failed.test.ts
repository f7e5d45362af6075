import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeForecast } from '../../../src/cli/describe-forecast.ts';
import { displayWidth } from '../../../src/cli/text.ts';
import type { RetryForecast } from '../../../src/index.ts';
import { documentOf, makeProject, type Project, type ProjectOptions } from '../project.ts';

/** What must never be printed. */
const raw = /[^\P{Cc}\n]/u;

/** Two failed jobs: 1 is emails.welcome, 2 is reports.nightly. */
async function withFailures(options: ProjectOptions = {}): Promise<Project> {
  const project = await makeProject(options);
  await project.redrive('dispatch', 'emails.welcome', '{"userId":1,"note":"Grüße"}');
  await project.redrive('work', '--once');
  await project.redrive('work', '--stop-when-empty');
  await project.redrive('dispatch', 'reports.nightly', '{"day":2}', '--queue', 'slow');
  await project.redrive('work', '--stop-when-empty');
  return project;
}

/** For tests that only look. */
let project: Project;
beforeAll(async () => {
  project = await withFailures({ shared: true });
});
afterAll(() => project.remove());

describe('redrive failed', () => {
  it('says that there are none', async () => {
    const empty = await makeProject();
    expect(await empty.redrive('failed')).toEqual({ code: 0, stdout: 'No failed jobs.\n', stderr: '' });
    expect(documentOf(await empty.redrive('list-failed', '--json'))).toEqual({ items: [] });
  });

  it('lists the newest first, each on one line, without colour', async () => {
    const { code, stdout, stderr } = await project.redrive('failed');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]?.split(/ {2,}/)).toEqual(['ID', 'JOB', 'QUEUE', 'KIND', 'TYPE', 'MESSAGE', 'ATTEMPTS', 'FAILED AT']);
    const time = expect.stringMatching(/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}Z$/);
    expect(lines[1]?.split(/ {2,}/)).toEqual([
      '2',
      'reports.nightly',
      'slow',
      'exception',
      'Unrecoverable',
      'First \\x1b]0;title\\x07line second line',
      '1/1',
      time,
    ]);
    expect(lines[2]?.split(/ {2,}/)).toEqual([
      '1',
      'emails.welcome',
      'default',
      'exception',
      'MailboxFull',
      'The mailbox is full',
      '3/3',
      time,
    ]);
    expect(lines).toHaveLength(3);
  });

  it('fits 80 columns and shows no control characters, however narrow the terminal', async () => {
    for (const columns of [200, 120, 80, 60, 40, 20]) {
      const { stdout } = await project.redriveWith({ columns }, 'failed');
      for (const line of stdout.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
      expect(stdout).not.toMatch(raw);
      expect(stdout).toMatch(/^2 /m);
    }
  });

  it('keeps every column at 80 columns, with type and message on a line of their own', async () => {
    const lines = (await project.redriveWith({ columns: 80 }, 'failed')).stdout.split('\n');
    expect(lines.slice(0, 2).map((line) => line.trim().split(/ {2,}/))).toEqual([
      ['ID', 'JOB', 'QUEUE', 'KIND', 'ATTEMPTS', 'FAILED AT'],
      ['TYPE: MESSAGE'],
    ]);
    expect(lines[5]?.trim()).toBe('MailboxFull: The mailbox is full');
  });

  it('shows the status of each where jobs of any status are listed', async () => {
    const changed = await withFailures();
    await changed.redrive('retry', '1');
    const { stdout } = await changed.redrive('failed', '--status', 'any');
    expect(stdout.split('\n').map((line) => line.split(/ {2,}/).at(8))).toEqual(['STATUS', 'failed', 'retrying', undefined]);
  });

  it('goes page by page with the command it prints', async () => {
    const first = await project.redrive('failed', '--limit', '1', '--since', '1h');
    const next = /^1 shown\. More: redrive (failed --since \S+Z --limit 1 --cursor \S+)$/m.exec(first.stdout)?.[1];
    const second = await project.redrive(...(next ?? '').split(' '));
    expect(second).toMatchObject({ code: 0, stdout: expect.stringMatching(/^1 +emails\.welcome/m) });
    expect(second.stdout).not.toContain('More:');
  });

  it('goes on in the order it was asked for', async () => {
    const first = await project.redrive('failed', '--limit', '1', '--order', 'oldest');
    expect(first.stdout).toMatch(/^1 +emails\.welcome/m);
    const next = /^1 shown\. More: redrive (failed --order oldest --limit 1 --cursor \S+)$/m.exec(first.stdout)?.[1];
    expect((await project.redrive(...(next ?? '').split(' '))).stdout).toMatch(/^2 +reports\.nightly/m);
  });

  it.each([
    [['--since', 'yesterday'], "option '--since <time>' argument 'yesterday' is invalid. It must be how long ago (24h, 7d) or a date"],
    [['--kind', 'timeuot'], 'It must be one of exception, timeout'],
    [['--group', ' '], 'It is empty'],
    [['--text', 'x'.repeat(1_001)], 'It is longer than 1000 characters'],
    [['--ids', '1,,2'], 'It must be a job id or the number of a failed job'],
    [['--order', 'sideways'], 'It is one of newest, oldest'],
    [['--relaese', 'v1'], 'did you mean --release?'],
  ])('refuses %j with exit 2', async (flags, message) => {
    expect(await project.redrive('failed', ...flags)).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
  });

  it.each([
    [['--queue', 'slow'], [2]],
    [
      ['--connection', 'main'],
      [2, 1],
    ],
    [['--connection', 'other'], []],
    [
      ['--release', 'v7'],
      [2, 1],
    ],
    [['--release', 'v'], []],
    [['--ids', '1, 7'], [1]],
    [
      ['--order', 'oldest'],
      [1, 2],
    ],
    [['--job', 'emails.welcome'], [1]],
    [['--type', 'MailboxFull'], [1]],
    [
      ['--kind', 'exception'],
      [2, 1],
    ],
    [['--kind', 'timeout'], []],
    [['--text', 'MAILBOX IS'], [1]],
    [['--text', 'grüße'], [1]],
    [['--group', '0000000000000000'], []],
    [
      ['--since', '1h'],
      [2, 1],
    ],
    [['--until', '1h'], []],
    [['--since', '2999-01-01'], []],
    [['--status', 'resolved'], []],
    [['--status', 'any', '--limit', '1'], [2]],
    [['--queue', 'slow', '--job', 'emails.welcome'], []],
  ])('narrows the list by %j', async (flags, ids) => {
    expect(documentOf(await project.redrive('failed', '--json', ...flags))).toMatchObject({ items: ids.map((id) => ({ id })) });
  });

  it('prints everything it knows of a failed job as JSON, F13, and no memento', async () => {
    const { items } = documentOf(await project.redrive('failed', '--json', '--job', 'emails.welcome')) as { items: unknown[] };
    expect(items).toEqual([
      {
        id: 1,
        jobId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        connection: 'main',
        queue: 'default',
        job: 'emails.welcome',
        properties: { userId: 1, note: 'Grüße' },
        createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
        kind: 'exception',
        type: 'MailboxFull',
        message: 'The mailbox is full',
        detail: 'quota 0',
        extendedInfo: expect.objectContaining({ mailbox: 'a@example.com' }),
        stack: expect.stringContaining('The mailbox is full'),
        exception: expect.objectContaining({ type: 'MailboxFull', cause: expect.objectContaining({ type: 'TypeError' }) }),
        attempts: 3,
        maxAttempts: 3,
        run: 1,
        failedAt: expect.stringMatching(/^\d{4}-.*Z$/),
        status: 'failed',
        fingerprint: expect.stringMatching(/^[0-9a-f]+$/),
        worker: { host: expect.any(String), pid: process.pid, pool: 'mail' },
        release: 'v7',
      },
    ]);
  });

  it('refuses a cursor of another list with exit 2', async () => {
    expect(await project.redrive('failed', '--cursor', 'abc')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('CURSOR_INVALID'),
    });
  });

  it('reads with --database alone', async () => {
    expect(documentOf(await project.redrive('failed', '--json', '--database', 'app.db'))).toMatchObject({ items: [{ id: 2 }, { id: 1 }] });
    expect(documentOf(await project.redrive('failed', '--json', '--database', `file://${project.cwd}/app.db`))).toMatchObject({
      items: [{ id: 2 }, { id: 1 }],
    });
  });

  it('exits 1 where the database is missing, and does not create it', async () => {
    const empty = await makeProject({ migrated: false });
    for (let time = 0; time < 2; time += 1)
      expect(await empty.redrive('failed')).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('STORE_MISSING') });
  });
});

describe('redrive failed show', () => {
  it('tells everything: properties, exception with its cause, every attempt, and what to do next', async () => {
    const { code, stdout, stderr } = await project.redrive('failed', 'show', '1', '--config', 'redrive.config.ts');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Failed job 1: emails\.welcome$/m);
    expect(stdout).toMatch(/^ {2}attempts +3 of 3$/m);
    expect(stdout).toMatch(/^ {2}queue +default$/m);
    expect(stdout).toMatch(/^ {2}release +v7$/m);
    expect(stdout).toContain('    "note": "Grüße"\n');
    expect(stdout).toContain('  MailboxFull: The mailbox is full\n  detail: quota 0\n');
    expect(stdout).toContain('a@example.com');
    expect(stdout).toMatch(/^ {2}caused by TypeError: deeper \\x1b\[31mred$/m);
    expect(stdout).toMatch(/^ {2}> at .*redrive\.config\.ts/m);
    expect(stdout).toMatch(/^ {2} {2}at .*src\/worker/m);
    const attempts = stdout.slice(stdout.indexOf('\nAttempts\n')).split('\n');
    expect(attempts[2]?.trim().split(/ {2,}/).join(' ')).toBe('RUN ATTEMPT KIND TYPE MESSAGE ENDED DELAY NEXT AT RULE RELEASE WORKER');
    expect(attempts.slice(3, 6).map((line) => line.trim().split(/ {2,}/).slice(0, 5))).toEqual(
      [1, 2, 3].map((attempt) => ['1', String(attempt), 'exception', 'MailboxFull', 'The mailbox is full']),
    );
    expect(attempts[3]?.trim().split(/ {2,}/).slice(6)).toEqual(['none', expect.any(String), 'attempts-left', 'v7', expect.any(String)]);
    expect(attempts[5]?.trim().split(/ {2,}/).slice(6)).toEqual(['-', '-', 'max-attempts', 'v7', expect.any(String)]);
    expect(stdout).toContain('\nNext\n  redrive retry --config redrive.config.ts 1\n');
    expect(stdout).not.toMatch(raw);
  });

  it('says what a retry would do: where it goes, by whose rules, and whether the job is known', async () => {
    const told = (stdout: string): string => stdout.slice(stdout.indexOf('\nRetry\n'), stdout.indexOf('\nNext\n'));
    expect(told((await project.redrive('failed', 'show', '1')).stdout)).toBe(
      [
        '',
        'Retry',
        '  outcome        it would be put back',
        '  goes to        queue default of connection main',
        '  attempts       3, as the job says',
        '  backoff        none, as pool mail says',
        '  job class      known here',
        '  properties     the job has no schema',
        '',
      ].join('\n'),
    );
    const without = await project.redrive('failed', 'show', '1', '--database', 'app.db');
    expect(told(without.stdout)).toContain("  attempts       as its worker's pool says\n");
    expect(told(without.stdout)).toContain('  job class      not known here: there is no config\n');
    expect(documentOf(await project.redrive('failed', 'show', '2', '--json'))).toMatchObject({
      forecast: {
        outcome: 'would_requeue',
        queue: 'slow',
        pool: 'slow',
        maxAttempts: 1,
        backoff: 'none',
        from: { maxAttempts: 'pool', backoff: 'pool' },
        registered: true,
        schema: 'none',
      },
    });
  });

  it('takes the job id as well as the number', async () => {
    const { jobId } = documentOf(await project.redrive('failed', 'show', '2', '--json')) as { jobId: string };
    expect(documentOf(await project.redrive('failed', '--json', 'show', jobId))).toMatchObject({
      id: 2,
      jobId,
      history: [{ run: 1, attempt: 1, rule: 'unrecoverable', endedAt: expect.stringMatching(/Z$/) }],
    });
  });

  it('fits the table of attempts into 80 columns', async () => {
    const { stdout } = await project.redriveWith({ columns: 80 }, 'failed', 'show', '1');
    const attempts = stdout.slice(stdout.indexOf('\nAttempts\n'));
    for (const line of attempts.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(80);
    for (const shown of ['DELAY', 'RULE', 'max-attempts', 'release v7']) expect(attempts).toContain(shown);
    expect(stdout).not.toMatch(raw);
  });

  it('says what is the matter with a job that is being retried', async () => {
    const changed = await withFailures();
    await changed.redrive('retry', '1');
    const { stdout } = await changed.redrive('failed', 'show', '1');
    expect(stdout).toMatch(/^ {2}status +retrying$/m);
    expect(stdout).toContain('It is being retried');
  });

  it('exits 1 for an id that is no failed job, and 2 for what is no id', async () => {
    expect(await project.redrive('failed', 'show', '99')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'redrive: there is no failed job 99 (FAILED_JOB_UNKNOWN)\n',
    });
    expect(documentOf(await project.redrive('failed', 'show', 'nope', '--json'))).toEqual({
      error: { code: 'FAILED_JOB_UNKNOWN', message: 'there is no failed job nope' },
    });
    expect(await project.redrive('failed', 'show', '1,2')).toMatchObject({ code: 2 });
  });
});

describe('what redrive failed show says of a retry', () => {
  const base: RetryForecast = {
    outcome: 'would_requeue',
    connection: 'bank',
    queue: 'money',
    pool: null,
    maxAttempts: 0,
    backoff: 'none',
    from: { maxAttempts: 'dispatch', backoff: 'default' },
    registered: false,
    schema: 'unknown',
  };
  const told = (changes: Partial<RetryForecast>, configKnown = true): readonly string[] =>
    describeForecast({ ...base, ...changes }, { configKnown }).map((line) => line.replaceAll(/ {2,}/g, ': '));

  it('is a line for each thing, and only for what is known', () => {
    expect(told({})).toEqual([
      'outcome: it would be put back',
      'goes to: queue money of connection bank',
      'attempts: without limit, as its dispatch said',
      'backoff: none, the default: no pool of this config works the queue',
      'job class: not known here: this config registers no job of this name',
    ]);
    const held = told({ outcome: 'duplicate', detail: 'another job holds its unique key', uniqueKey: { heldBy: 'job-7' }, paused: true });
    expect(held).toContain('outcome: it would stay: another job holds its unique key');
    expect(held).toContain('goes to: queue money of connection bank, which is paused');
    expect(held).toContain('unique key: held by job job-7');
    expect(told({ uniqueKey: { heldBy: null } })).toContain('unique key: free');
    expect(told({ outcome: 'duplicate', uniqueKey: { heldBy: null } })).toContain('unique key: held by another job');
    expect(told({}, false)).toContain("backoff: as its worker's pool says");
    expect(told({ registered: true, schema: 'misfit', faults: ['properties.n: must be\u001b[31m a number'] }).slice(-3)).toEqual([
      'job class: known here',
      "properties: do not fit the job's schema; it would fail again at once:",
      ': - properties.n: must be\\x1b[31m a number',
    ]);
    expect(told({ schema: 'fits' }).at(-1)).toBe("properties: fit the job's schema");
    expect(told({ schema: 'unreadable' }).at(-1)).toBe('properties: cannot be read; it would fail again at once');
  });
});
