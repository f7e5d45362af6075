import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { RedriveError } from '../../../src/errors.ts';
import { fakeServices } from '../fake-redrive.ts';
import { documentOf, makeProject, type Project } from '../project.ts';
import { redrive, Terminal } from '../terminal.ts';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

async function failedIds(project: Project): Promise<unknown> {
  await project.redrive('work', '--stop-when-empty', '--include-delayed');
  return documentOf(await project.redrive('failed', '--json', '--limit', '200'));
}

describe('redrive dispatch NAME', () => {
  it('stores a job and prints its id', async () => {
    const project = await makeProject();
    const { code, stdout, stderr } = await project.redrive(
      'dispatch',
      'reports.nightly',
      '{"day":1}',
      '--queue',
      'high',
      '--priority',
      '-3',
      '--max-attempts',
      '2',
      '--timeout',
      '5s',
      '--delay',
      '10ms',
      '--connection',
      'main',
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^[0-9a-f-]{36} {2}reports\.nightly\nDispatched 1 job\(s\)\.\n$/);
    expect(await failedIds(project)).toMatchObject({
      items: [{ jobId: stdout.slice(0, 36), queue: 'high', maxAttempts: 2, properties: { day: 1 } }],
    });
  });

  it('prints the ids as one document with --json', async () => {
    const project = await makeProject();
    expect(documentOf(await project.redrive('dispatch', 'ping', '--json'))).toEqual({ ids: [expect.stringMatching(uuid)], errors: [] });
  });

  it('refuses a name that the config does not register, naming the one that was meant, unless told otherwise', async () => {
    const project = await makeProject();
    const refused = await project.redrive('dispatch', 'emails.welcom', '--json');
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('(did you mean "emails.welcome"?)') });
    expect(documentOf(refused)).toMatchObject({ error: { code: 'JOB_UNKNOWN' } });
    expect(await project.redrive('dispatch', 'emails.welcom', '--unregistered')).toMatchObject({ code: 0 });
  });

  it('takes any name with --database alone', async () => {
    const project = await makeProject();
    expect(await project.redrive('dispatch', 'anything', '--database', 'app.db')).toMatchObject({ code: 0 });
  });

  it.each([
    [['--queue', 'hihg'], 'QUEUE_UNKNOWN'],
    [['--connection', 'mian'], 'CONNECTION_UNKNOWN'],
  ])('exits 2 for %j', async (flags, code) => {
    const project = await makeProject();
    expect(await project.redrive('dispatch', 'ping', ...flags)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(`(${code})`),
    });
  });

  it('exits 1 where the database is missing or has no tables, and creates neither', async () => {
    const project = await makeProject({ migrated: false });
    expect(await project.redrive('dispatch', 'ping')).toMatchObject({ code: 1, stderr: expect.stringContaining('STORE_MISSING') });
    project.write('app.db', '');
    expect(await project.redrive('dispatch', 'ping')).toMatchObject({ code: 1, stderr: expect.stringContaining('STORE_UNMIGRATED') });
  });
});

describe('redrive dispatch --file', () => {
  it('dispatches each line, reports the bad ones with their numbers, and goes on', async () => {
    const project = await makeProject();
    project.write(
      'jobs.jsonl',
      [
        '\ufeff{"name":"reports.nightly","properties":{"n":1}}\r',
        '',
        'nonsense',
        '{"name":"reports.nightly","properties":{"n":4},"options":{"queue":"slow"}}\r',
        '{"name":"reports.nightly","options":{"queue":"nowhere"}}',
        '{"properties":{}}',
        '{"name":"emails.welcom"}',
        '   ',
        '{"name":"reports.nightly","properties":[9]}',
        '{"name":"reports.nightly","properties":{"n":10}}',
      ].join('\n'),
    );
    const { code, stdout, stderr } = await project.redrive('dispatch', '--file', 'jobs.jsonl');
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'Dispatched 3 job(s).\n' });
    expect(stderr.split('\n')).toEqual([
      expect.stringMatching(/^line 3: .*not JSON.*\(PROPERTIES_INVALID\)$/),
      expect.stringMatching(/^line 6: .*no "name".*\(OPTIONS_INVALID\)$/),
      expect.stringMatching(/^line 7: .*did you mean "emails.welcome".*\(JOB_UNKNOWN\)$/),
      expect.stringMatching(/^line 9: .*\(PROPERTIES_INVALID\)$/),
      expect.stringMatching(/^line 5: .*\(QUEUE_UNKNOWN\)$/),
      '5 line(s) refused.',
      '',
    ]);
    const { items } = (await failedIds(project)) as { items: { queue: string; properties: { n: number } }[] };
    expect(Object.fromEntries(items.map(({ queue, properties }) => [properties.n, queue]))).toEqual({
      1: 'default',
      4: 'slow',
      10: 'default',
    });
  });

  it('prints ids in the order of the lines and errors with their lines as one document', async () => {
    const project = await makeProject();
    const stdin = ['{"name":"ping","options":{"queue":"slow"}}', 'x', '{"name":"ping"}', '{"name":"ping","options":{"queue":"slow"}}'].join(
      '\n',
    );
    const ran = await project.redriveWith({ stdin }, 'dispatch', '--file', '-', '--json');
    expect(ran.code).toBe(1);
    const { ids, errors } = documentOf(ran) as { ids: string[]; errors: unknown[] };
    expect(errors).toEqual([{ line: 2, code: 'PROPERTIES_INVALID', message: expect.stringContaining('not JSON') }]);
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(3);
  });

  it('gives lines the flags of the command where they leave something open', async () => {
    const project = await makeProject();
    const stdin = '{"name":"reports.nightly"}\n{"name":"reports.nightly","options":{"queue":"high"}}\n';
    expect(await project.redriveWith({ stdin }, 'dispatch', '--file', '-', '--queue', 'slow')).toMatchObject({
      code: 0,
      stdout: 'Dispatched 2 job(s).\n',
    });
    expect(await failedIds(project)).toMatchObject({
      items: expect.arrayContaining([expect.objectContaining({ queue: 'slow' }), expect.objectContaining({ queue: 'high' })]),
    });
  });

  it('has nothing to do for an empty file', async () => {
    const project = await makeProject();
    expect(await project.redriveWith({ stdin: '\n\n' }, 'dispatch', '--file', '-')).toEqual({
      code: 0,
      stdout: 'Dispatched 0 job(s).\n',
      stderr: '',
    });
    expect(documentOf(await project.redriveWith({ stdin: '' }, 'dispatch', '--file', '-', '--json'))).toEqual({ ids: [], errors: [] });
  });

  it('fails as a command where the store was never there', async () => {
    const project = await makeProject({ migrated: false });
    const ran = await project.redriveWith({ stdin: '{"name":"ping"}\n' }, 'dispatch', '--file', '-', '--json');
    expect(ran.code).toBe(1);
    expect(documentOf(ran)).toMatchObject({ error: { code: 'STORE_MISSING' } });
  });

  it('dispatches many lines in few transactions, all of them when some are refused only there', async () => {
    const calls: number[] = [];
    let next = 0;
    const refuse = (n: unknown): void => {
      if (n === 700) throw new RedriveError('PROPERTIES_INVALID', 'Properties.n: too large');
    };
    const services = fakeServices({
      dispatchMany: async (specs) => {
        calls.push(specs.length);
        for (const { properties } of specs) refuse((properties as { n: number }).n);
        return specs.map(() => `id-${(next += 1)}`);
      },
      dispatch: async (_name: unknown, properties?: object) => {
        refuse((properties as { n: number }).n);
        return `id-${(next += 1)}`;
      },
    });
    const stdin = Array.from({ length: 1_200 }, (_, index) => JSON.stringify({ name: 'x', properties: { n: index + 1 } })).join('\n');
    const { code, stdout, stderr } = await redrive(['dispatch', '--file', '-'], { services, stdin });
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'Dispatched 1199 job(s).\n' });
    expect(stderr).toBe('line 700: Properties.n: too large (PROPERTIES_INVALID)\n1 line(s) refused.\n');
    expect(calls.slice(0, 2)).toEqual([500, 500]);
    expect(calls.length).toBeLessThan(25);
  });

  it('says which lines were not dispatched when the store fails on the way', async () => {
    let calls = 0;
    const services = fakeServices({
      dispatchMany: async (specs) => {
        calls += 1;
        if (calls === 2) throw new RedriveError('STORE_LOCKED', 'The database is locked');
        return specs.map((_, index) => `id-${calls}-${index}`);
      },
    });
    const stdin = Array.from({ length: 1_600 }, () => '{"name":"x"}').join('\n');
    const ran = await redrive(['dispatch', '--file', '-', '--json'], { services, stdin });
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('line 501-1000: The database is locked (STORE_LOCKED)');
    const { ids, errors } = documentOf(ran) as { ids: string[]; errors: { line: number; code: string; message: string }[] };
    expect(ids).toHaveLength(500);
    expect(errors).toHaveLength(501);
    expect(errors.at(-1)).toEqual({
      line: 1_001,
      code: 'STORE_LOCKED',
      message: expect.stringContaining('this line and those after it were not dispatched'),
    });
  });

  it('does not make the jobs of a slow producer wait for a chunk to fill', async () => {
    const project = await makeProject();
    let finish = (): void => undefined;
    const first = new Promise<void>((resolve) => (finish = resolve));
    const stdin = Readable.from(
      (async function* () {
        yield '{"name":"ping"}\n';
        await first;
        yield '{"name":"ping"}\n';
      })(),
    );
    const terminal = project.terminal({ stdin });
    const running = terminal.run('dispatch', '--file', '-', '--json');
    await terminal.shows('"ids"');
    finish();
    expect(((await running) && JSON.parse(terminal.stdout)).ids).toHaveLength(2);
  });

  it('stops at a signal, also while it waits for input, and says from which line on nothing was dispatched', async () => {
    const stdin = new Readable({ read: () => undefined });
    const terminal = new Terminal({ stdin, services: fakeServices({ dispatch: async () => 'id-1' }) });
    const running = terminal.run('dispatch', '--file', '-', '--json');
    stdin.push('{"name":"x"}\n');
    await terminal.shows('id-1');
    terminal.send('SIGINT');
    expect(await running).toMatchObject({ code: 130, stderr: expect.stringContaining('line 2: stopped by SIGINT') });
    expect(JSON.parse(terminal.stdout)).toEqual({ ids: ['id-1'], errors: [{ line: 2, code: 'INTERRUPTED', message: expect.any(String) }] });
    expect(terminal.listeners).toBe(0);
  });

  it('shows progress on a terminal, and leaves nothing of it behind', async () => {
    const project = await makeProject();
    const { stderr } = await project.redriveWith({ columns: 80, stdin: '{"name":"ping"}\n' }, 'dispatch', '--file', '-');
    expect(stderr).toBe('\r\u001b[KDispatching jobs  1\r\u001b[K');
  });
});
