import { describe, expect, it } from 'vitest';
import { displayWidth } from '../../src/cli/text.ts';
import { fakeServices } from './fake-redrive.ts';
import { makeProject } from './project.ts';
import { redrive } from './terminal.ts';

const commands = [
  'init',
  'migrate',
  'work',
  'dispatch',
  'status',
  'cancel',
  'mark-failed',
  'stats',
  'pause',
  'resume',
  'failed',
  'retry',
  'bulk-retry',
  'resolve',
  'forget',
  'flush',
  'prune',
  'audit',
  'serve',
];

describe('the help', () => {
  it('lists every command once, in groups, on one screen of 80 columns', async () => {
    const { stdout } = await redrive(['--help'], { columns: 80 });
    const lines = stdout.trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(40);
    for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(80);
    for (const heading of ['Set up:', 'Jobs:', 'Queues:', 'Failed jobs:']) expect(lines).toContain(heading);
    const listed = lines.flatMap((line) => /^ {2}([a-z-]+)/.exec(line)?.[1] ?? []).filter((word) => !word.startsWith('-'));
    expect(listed).toEqual(commands);
  });

  it.each(commands)('of %s fits 80 columns and names every common flag', async (command) => {
    const { code, stdout, stderr } = await redrive([command, '--help'], { columns: 80 });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const line of stdout.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(80);
    for (const flag of ['--json', '--config', '--verbose', '--help']) expect(stdout).toContain(flag);
    expect(stdout.includes('--database')).toBe(command !== 'work' && command !== 'init');
  });
});

describe('wrong usage', () => {
  it.each([
    [['stauts', '1'], 'did you mean one of stats, status?'],
    [['mark-faild'], 'did you mean mark-failed?'],
    [['status'], "missing required argument 'id'"],
    [['status', '1', '2'], 'too many arguments'],
    [['status', '../x'], '"../x" is neither'],
    [['stats', '--queu', 'x'], 'did you mean --queue?'],
    [['stats', '--queue', ''], 'It is empty'],
    [['mark-failed'], 'say which jobs'],
    [['mark-failed', '--job-ids', ' , '], '--job-ids is empty'],
    [['mark-failed', '--job-ids', 'a;b'], '"a;b" is no job id'],
    [['mark-failed', 'a', '--resaon', 'x'], 'did you mean --reason?'],
    [['forget'], 'say which failed jobs'],
    [['forget', '1', '--job', 'a'], 'either ids, or flags'],
    [['forget', '--yes'], 'say which failed jobs'],
    [['resolve'], "missing required argument 'id'"],
    [['cancel'], "missing required argument 'id'"],
    [['cancel', '-5'], '"-5" is no job id'],
    [['pause'], "missing required argument 'queue'"],
    [['pause', ' '], 'It is empty'],
    [['resume', 'a', 'b'], 'too many arguments'],
    [['migrate', '--status', '--sql'], '--status goes with neither'],
    [['migrate', '--status', '--rollback'], '--status goes with neither'],
    [['migrate', '--yes'], '--yes goes with --rollback'],
    [['migrate', '--rolback'], 'did you mean --rollback?'],
    [['init', '--database', 'x.db'], "unknown option '--database'"],
    [['init', 'here'], 'too many arguments'],
  ])('%j is told in one line on stderr: exit 2, nothing opened', async (argv, message) => {
    const services = fakeServices({});
    const { code, stdout, stderr } = await redrive(argv, { services });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^redrive: [^\n]*\n$/);
    expect(stderr).toContain(message);
    expect(services.opened).toEqual([]);
  });
});

describe('a misspelt job name', () => {
  it.each([
    [['dispatch', 'emials.welcome'], 2, /\(did you mean "emails\.welcome"\?\)/],
    [['failed', '--job', 'emials.welcome'], 0, /^No failed jobs of emials\.welcome \(did you mean "emails\.welcome"\?\)\.\n/],
    [['retry', '--job', 'emials.welcome'], 0, /^Re-queued 0 job\(s\) of emials\.welcome \(did you mean "emails\.welcome"\?\)\.\n/],
    [['forget', '--job', 'emials.welcome'], 0, /^Removed 0 job\(s\) of emials\.welcome \(did you mean "emails\.welcome"\?\)\.\n/],
  ])('is answered by %j with the one that was meant', async (argv, code, message) => {
    const project = await makeProject();
    const ran = await project.redrive(...argv);
    expect(ran.code).toBe(code);
    expect(ran.stdout + ran.stderr).toMatch(message);
  });
});

describe('a config without the failed-jobs log', () => {
  it.each([[['resolve', '1']], [['forget', '1']], [['mark-failed', '01900000-0000-7000-8000-000000000000']]])(
    'makes %j exit 1 and say what to set',
    async (argv) => {
      const project = await makeProject({
        config: `
      import { defineConfig } from 'redrive';
      import { DatabaseProvider } from 'redrive/providers/database';
      export default defineConfig({ connections: { main: { provider: DatabaseProvider, properties: { client: 'better-sqlite3', connection: { filename: new URL('app.db', import.meta.url).pathname } } } } });`,
      });
      expect(await project.redrive(...argv)).toMatchObject({ code: 1, stderr: expect.stringContaining('logFailedJobs: true') });
    },
  );
});
