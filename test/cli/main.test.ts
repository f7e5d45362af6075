import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { RedriveError } from '../../src/errors.ts';
import { fakeServices } from './fake-redrive.ts';
import { redrive, Terminal } from './terminal.ts';

const failing = (reason: unknown) => fakeServices({ failedJobs: { list: async () => Promise.reject(reason) } });

describe('the command line', () => {
  it('prints its help, and exits 0, without arguments and with --help', async () => {
    const [bare, asked] = await Promise.all([redrive([]), redrive(['--help'])]);
    expect(bare).toEqual(asked);
    expect(bare).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('Usage: redrive') });
  });

  it('has a help text for every command', async () => {
    for (const command of [
      ['migrate'],
      ['work'],
      ['dispatch'],
      ['failed'],
      ['list-failed'],
      ['failed', 'show'],
      ['retry'],
      ['requeue-failed'],
    ]) {
      const { code, stdout, stderr } = await redrive([...command, '--help']);
      expect([command, code, stderr]).toEqual([command, 0, '']);
      for (const flag of ['--json', '--config', '--verbose', '--help']) expect(stdout).toContain(flag);
      expect(stdout.includes('--database')).toBe(command[0] !== 'work');
    }
  });

  it('prints the version of the package', async () => {
    expect(await redrive(['--version'])).toEqual({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), stderr: '' });
  });

  it.each([
    [['faild'], 'did you mean failed?'],
    [['failed', 'shw'], 'did you mean "show"?'],
    [['failed', '--quue', 'x'], 'did you mean --queue?'],
    [['failed', 'show'], "missing required argument 'id'"],
    [['failed', 'show', '1', '2'], 'too many arguments'],
    [['failed', '--limit', '201'], 'from 1 to 200'],
    [['failed', '--limit'], 'argument missing'],
    [['failed', '--kind', 'timeuot'], 'did you mean "timeout"?'],
    [['failed', '--status', 'done'], 'failed, retrying, resolved, any'],
    [['failed', '--since', 'yesterday'], '24h'],
    [['failed', '--config', 'a', '--database', 'b'], 'not both'],
    [['failed', '--database', ''], '--database is empty'],
    [['failed', '--database', ':memory:'], ':memory:'],
    [['help', 'faild'], 'there is no such command'],
    [['migrate', 'now'], 'too many arguments'],
    [['work', '--database', 'x.db'], "unknown option '--database'"],
    [['work', '--once', '--stop-when-empty'], 'not both'],
    [['work', '--include-delayed'], 'goes with --stop-when-empty'],
    [['dispatch'], 'give the name of a job'],
    [['dispatch', 'a', '--file', 'b'], 'not both'],
    [['dispatch', 'a', 'nonsense'], 'not JSON'],
    [['dispatch', 'a', '[1]'], 'a JSON object is wanted'],
    [['dispatch', 'a', '--delay', 'soon'], 'Give seconds'],
    [['dispatch', 'a', '--priority', '1.5'], 'whole number'],
    [['dispatch', '--file', 'not-there.jsonl'], '--file not-there.jsonl cannot be read'],
    [['dispatch', '--file', '.'], 'it is a directory'],
    [['retry'], 'say which failed jobs'],
    [['retry', '--queue', 'x'], '--from-queue chooses'],
    [['retry', '1', '--all'], 'either'],
    [['retry', '1', '--job', 'a'], 'either'],
    [['retry', '--all', '--job', 'a'], 'either'],
    [['retry', '-5'], '"-5" is neither'],
    [['requeue-failed', '--job-ids', ''], '--job-ids is empty'],
    [['requeue-failed', '--job-ids', '1;2'], '"1;2" is neither'],
  ])('%j is wrong usage: one line on stderr, exit 2, nothing opened', async (argv, message) => {
    const services = fakeServices({});
    const { code, stdout, stderr } = await redrive(argv, { services });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^redrive: [^\n]*\n$/);
    expect(stderr).toContain(message);
    expect(services.opened).toEqual([]);
  });

  it('tells wrong usage as a document, too, with --json', async () => {
    const { code, stdout } = await redrive(['failed', '--quue', 'x', '--json']);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toEqual({ error: { code: 'USAGE_INVALID', message: "unknown option '--quue' (did you mean --queue?)" } });
  });

  it('refuses a kind of database it does not support by name, without the password in its URL', async () => {
    const { code, stdout, stderr } = await redrive(['failed', '--database', 'mongodb://app:secret@db/app', '--json']);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'STORE_UNSUPPORTED' } });
    expect(stdout + stderr).not.toContain('secret');
  });

  it.each([
    'STORE_MISSING',
    'STORE_UNMIGRATED',
    'STORE_LOCKED',
    'STORE_BROKEN',
    'STORE_NOT_A_DATABASE',
    'STORE_READ_ONLY',
    'FAILED_JOBS_OFF',
    'DRIVER_MISSING',
  ] as const)('exits 1 with one line that holds the code when a command ends in %s', async (code) => {
    const services = failing(new RedriveError(code, 'This is\nwhat to do'));
    expect(await redrive(['failed'], { services })).toEqual({ code: 1, stdout: '', stderr: `redrive: This is what to do (${code})\n` });
    expect(services.opened).toEqual([{ access: 'look', stopped: true }]);
  });

  it.each(['CURSOR_INVALID', 'FILTER_INVALID', 'CONFIG_INVALID'] as const)('exits 2 when a command ends in %s', async (code) => {
    expect(await redrive(['failed'], { services: failing(new RedriveError(code, 'x')) })).toMatchObject({ code: 2 });
  });

  it('names every fault of a config in its one line', async () => {
    const { code, stderr } = await redrive(['failed'], { services: fakeServices({}, { conections: {}, logAttempts: 'x' }) });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^redrive: The config has 2 faults: logAttempts: .*; conections: .* \(CONFIG_INVALID\)\n$/);
  });

  it('prints a stack with --verbose only', async () => {
    const error = new Error('boom', { cause: new Error('deeper') });
    const [short, long] = await Promise.all([
      redrive(['failed'], { services: failing(error) }),
      redrive(['failed', '--verbose'], { services: failing(error) }),
    ]);
    expect(short.stderr).toBe('redrive: boom (UNEXPECTED)\n');
    expect(long.stderr).toContain('main.test.ts');
    expect(long.stderr).toContain('deeper');
  });

  it('lets no control character of an error reach the terminal', async () => {
    const { stdout, stderr } = await redrive(['failed', '--json', '--verbose'], { services: failing(new Error('a\u001b]0;title\u0007b')) });
    expect(stdout + stderr).not.toMatch(/[^\P{Cc}\n]/u);
  });

  it('closes what it opened, also when the command and the closing fail', async () => {
    const services = fakeServices({
      failedJobs: { list: () => Promise.reject(new Error('first')) },
      stop: () => Promise.reject(new Error('second')),
    });
    expect(await redrive(['failed'], { services })).toMatchObject({ code: 1, stderr: 'redrive: first (UNEXPECTED)\n' });
  });

  it('prints one document and no second one when the closing fails after it', async () => {
    const services = fakeServices({ failedJobs: { list: async () => ({ items: [] }) }, stop: () => Promise.reject(new Error('second')) });
    const { code, stdout, stderr } = await redrive(['failed', '--json'], { services });
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'redrive: second (UNEXPECTED)\n' });
    expect(JSON.parse(stdout)).toEqual({ items: [] });
  });

  it('ends quietly when the reader of its output has gone away', async () => {
    const stdout = new Writable({ write: (_chunk, _encoding, done) => done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })) });
    expect(await redrive(['--help'], { stdout })).toMatchObject({ code: 0, stderr: '' });
  });

  it('says so and exits 1 when its output cannot be written for another reason', async () => {
    const stdout = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('no space left'), { code: 'ENOSPC' })),
    });
    expect(await redrive(['--help'], { stdout })).toMatchObject({ code: 1, stderr: expect.stringContaining('no space left') });
  });

  it('leaves no listener behind', async () => {
    const terminal = new Terminal({ services: fakeServices({ dispatchMany: async () => [] }) });
    await terminal.run('dispatch', '--file', '-');
    expect(terminal.listeners).toBe(0);
  });
});
