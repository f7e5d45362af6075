import { createServer } from 'node:net';
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { dispatched, documentOf, makeProject, type Project } from '../project.ts';
import type { Ran, Terminal, TerminalOptions } from '../terminal.ts';

interface Serving {
  readonly url: string;
  readonly terminal: Terminal;
  /** Tells it to stop, and resolves with how it ended. */
  readonly stop: () => Promise<Ran>;
  readonly ended: Promise<Ran>;
}

/** Starts `redrive serve` on any free port; ended with the test. */
async function serving(project: Project, argv: readonly string[] = [], options: TerminalOptions = {}): Promise<Serving> {
  const terminal = project.terminal(options);
  const ended = terminal.run('serve', '--port', '0', ...argv);
  const stop = (): Promise<Ran> => {
    terminal.send('SIGTERM');
    return ended;
  };
  onTestFinished(async () => void (await stop()));
  await Promise.race([terminal.shows('http://'), ended.then(({ stderr }) => expect.fail(stderr))]);
  const [, url = ''] = /(http:\/\/[^\s,/]+:\d+)/.exec(terminal.stdout) ?? [];
  return { url, terminal, stop, ended };
}

describe('redrive serve', () => {
  it('prints where it can be reached, answers, and stops at a signal', async () => {
    const project = await makeProject();
    const id = await dispatched(project, 'reports.nightly', '{"page":7}');
    await project.redrive('work', '--stop-when-empty');
    const { url, terminal, stop } = await serving(project);
    expect(terminal.stdout).toMatch(/^Redrive serves http:\/\/127\.0\.0\.1:\d+\. Its page: http:\/\/127\.0\.0\.1:\d+\/docs\n$/);
    expect(await (await fetch(`${url}/api/v1/jobs/failed`)).json()).toMatchObject([{ job_id: id, kwargs: { page: 7 } }]);
    expect((await fetch(`${url}/api/v1/jobs/failed/${id}/retry`, { method: 'POST' })).status).toBe(200);
    expect(documentOf(await project.redrive('audit', '--json'))).toMatchObject({ items: [{ action: 'retried', by: 'http', ids: [id] }] });
    expect(await (await fetch(`${url}/docs`)).text()).toContain(`curl ${url}/api/v1/jobs/failed`);
    expect(await stop()).toMatchObject({ code: 0 });
    expect(terminal.listeners).toBe(0);
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
  });

  it('works with --database alone, and prints one document with --json', async () => {
    const project = await makeProject();
    const { url, terminal, stop } = await serving(project, ['--database', 'app.db', '--json']);
    expect((await fetch(`${url}/api/v1/jobs/stats`)).status).toBe(200);
    await stop();
    expect(JSON.parse(terminal.stdout)).toEqual({ url, docs: `${url}/docs` });
  });

  it('takes the token from a flag or from the environment', async () => {
    const project = await makeProject();
    const status = async (url: string, token: string): Promise<number> =>
      (await fetch(`${url}/api/v1/jobs/failed`, { headers: { authorization: `Bearer ${token}` } })).status;
    const flagged = await serving(project, ['--token', 'by-flag']);
    expect([await status(flagged.url, 'by-flag'), await status(flagged.url, 'other')]).toEqual([200, 401]);
    const set = await serving(project, [], { env: { USER: 'tester', REDRIVE_TOKEN: 'by-env' } });
    expect([await status(set.url, 'by-env'), await status(set.url, '')]).toEqual([200, 401]);
    expect((await fetch(`${set.url}/readyz`)).status).toBe(200);
  });

  it.each(['0.0.0.0', '::', '192.168.1.5', 'app.example.com'])('refuses to listen on %s without a token', async (host) => {
    const project = await makeProject();
    expect(await project.redrive('serve', '--host', host)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: `redrive: --host ${host} can be reached from elsewhere; give --token, or set REDRIVE_TOKEN\n`,
    });
  });

  it('listens elsewhere with a token, for addresses and the names it was told', async () => {
    const project = await makeProject();
    const { url } = await serving(project, ['--host', '0.0.0.0', '--token', 't', '--allow-host', 'jobs.example.com']);
    const port = new URL(url).port;
    const status = async (host: string): Promise<number> => {
      const { request } = await import('node:http');
      return new Promise((resolve, reject) => {
        const headers = { host, authorization: 'Bearer t' };
        request({ host: '127.0.0.1', port, path: '/api/v1/jobs/stats', headers }, (response) => resolve(response.resume().statusCode!))
          .on('error', reject)
          .end();
      });
    };
    expect(await Promise.all(['10.0.0.7:3000', 'jobs.example.com', 'localhost'].map(status))).toEqual([200, 200, 200]);
    expect(await status('evil.example')).toBe(403);
  });

  it('changes nothing with --read-only', async () => {
    const project = await makeProject();
    await dispatched(project, 'reports.nightly');
    await project.redrive('work', '--stop-when-empty');
    const { url, terminal } = await serving(project, ['--read-only']);
    expect(terminal.stdout).toContain(', read-only.');
    expect((await fetch(`${url}/api/v1/jobs/failed/1`)).status).toBe(200);
    for (const [method, path] of [
      ['POST', 'failed/retry-all'],
      ['DELETE', 'failed/clear'],
    ])
      expect(await (await fetch(`${url}/api/v1/jobs/${path}`, { method: method! })).json()).toMatchObject({ code: 'READ_ONLY' });
  });

  it('refuses a database that is missing, foreign, or not migrated, in one line', async () => {
    const project = await makeProject({ migrated: false });
    writeFileSync(join(project.cwd, 'foreign.db'), 'x'.repeat(8_192));
    new Database(join(project.cwd, 'empty.db')).exec('CREATE TABLE mine (id INTEGER)').close();
    for (const [argv, code] of [
      [['--database', 'none.db'], 'STORE_MISSING'],
      [['--database', 'foreign.db'], 'STORE_NOT_A_DATABASE'],
      [['--database', 'empty.db'], 'STORE_UNMIGRATED'],
      [[], 'STORE_MISSING'],
    ] as const)
      for (const more of [[], ['--read-only']])
        expect(await project.redrive('serve', '--port', '0', ...argv, ...more), code).toMatchObject({
          code: 1,
          stdout: '',
          stderr: expect.stringMatching(new RegExp(`^redrive: [^\\n]+ \\(${code}\\)\\n$`)),
        });
  });

  it('says in one line that the port is taken', async () => {
    const project = await makeProject();
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as AddressInfo;
    expect(await project.redrive('serve', '--port', String(port))).toMatchObject({
      code: 1,
      stdout: '',
      stderr: `redrive: cannot listen on 127.0.0.1:${port}: another program listens there; give another --port (ADDRESS_UNAVAILABLE)\n`,
    });
  });

  it.each([
    ['--port', 'http', 'Give a whole number from 0 to 65535.'],
    ['--port', '65536', 'Give a whole number from 0 to 65535.'],
    ['--token', ' ', 'It is empty.'],
    ['--host', '', 'It is empty.'],
  ])('refuses %s %j', async (flag, value, why) => {
    const project = await makeProject();
    expect(await project.redrive('serve', flag, value)).toMatchObject({ code: 2, stderr: expect.stringContaining(why) });
  });

  it('answers what is under way before it stops, and ends at once at a second signal', async () => {
    const project = await makeProject();
    const { url, terminal, ended } = await serving(project);
    const { hostname, port } = new URL(url);
    const { connect } = await import('node:net');
    const socket = connect(Number(port), hostname);
    const answer = new Promise<string>((resolve) => {
      let text = '';
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
      socket.on('close', () => resolve(text));
    });
    // The head of a request whose body is still to come.
    socket.write(
      'POST /api/v1/queues/mail/pause HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n',
    );
    await new Promise<void>((resolve) => socket.write('{', () => resolve()));
    // Answered on another connection: the server has read the first one's head by then.
    await fetch(`${url}/healthz`);
    terminal.send('SIGTERM');
    await terminal.shows('stopping once the requests under way are answered');
    // A real process would be gone now.
    terminal.send('SIGTERM');
    expect(terminal.exits).toEqual([143]);
    socket.write('}');
    expect(await answer).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*"paused":true/);
    expect(await ended).toMatchObject({ code: 0 });
  });
});
