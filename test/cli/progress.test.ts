import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Cli } from '../../src/cli/cli.ts';
import { Output } from '../../src/cli/output.ts';
import { progressLine, progressText, type Figures } from '../../src/cli/progress-line.ts';
import { Progress } from '../../src/cli/progress.ts';
import { displayWidth } from '../../src/cli/text.ts';
import { VirtualClock } from '../../src/testing/index.ts';
import { makeProject, type Project } from './project.ts';
import { Terminal, type TerminalOptions } from './terminal.ts';

const figures: Figures = {
  what: 'Removing failed jobs',
  done: 400,
  total: 1_000,
  part: 0.4,
  rate: 95.4,
  leftMs: 6_289,
  elapsedMs: 4_200,
  note: '3 failed again',
};

describe('the line of a long command', () => {
  it('has a bar, the share, the count, the rate, the time that is left and a note', () => {
    expect(progressLine(figures, 120)).toBe(
      'Removing failed jobs  [################........................]   40%  400 of 1000  95/s  ETA 6s  3 failed again'.replace(
        '   40%',
        '   40%',
      ),
    );
    expect(progressText(figures)).toBe('Removing failed jobs: 40%, 400 of 1000, 95/s, ETA 6s, 3 failed again');
  });

  it.each([
    [100, 'Removing failed jobs  [##########................]   40%  400 of 1000  95/s  ETA 6s  3 failed again'],
    [80, 'Removing failed jobs   40%  400 of 1000  95/s  ETA 6s  3 failed again'],
    [60, 'Removing failed jobs   40%  400 of 1000  95/s  ETA 6s'],
    [50, 'Removing failed jobs   40%  400 of 1000  ETA 6s'],
    [40, 'Removing failed jobs   40%  400 of 1000'],
    [30, 'Removing failed jobs   40%'],
    [12, 'Removing f…'],
  ])('fits %i columns', (columns, line) => {
    expect(progressLine(figures, columns)).toBe(line);
  });

  it('is shorter than the terminal is wide, whatever its width', () => {
    for (let columns = 1; columns < 200; columns += 1)
      expect(displayWidth(progressLine(figures, columns))).toBeLessThanOrEqual(Math.max(1, columns - 1));
  });

  it('says 100% at the end alone, and leaves out what nobody knows', () => {
    expect(progressLine({ ...figures, done: 999, part: 0.9999, note: undefined }, 80)).toContain(' 99%  999 of 1000');
    const end = { ...figures, done: 1_000, part: 1, leftMs: undefined, note: undefined };
    expect(progressLine(end, 80)).toBe('Removing failed jobs  [#########################]  100%  1000 of 1000  95/s  4s');
    const unknown = { ...figures, total: undefined, part: undefined, leftMs: undefined, note: undefined, rate: 0.25 };
    expect(progressLine(unknown, 80)).toBe('Removing failed jobs  400  0.3/s  4s');
  });
});

describe('Progress', () => {
  function setup(options: TerminalOptions): { progress: Progress; terminal: Terminal; clock: VirtualClock } {
    const clock = new VirtualClock();
    const terminal = new Terminal(options);
    const io = terminal.io();
    const cli = { io, out: new Output(io, clock), services: { clock }, exitCode: 0 } as unknown as Cli;
    return { progress: new Progress(cli, 'Moving'), terminal, clock };
  }

  it('redraws one line of a terminal, at most ten times a second, with the rate and the time of the last while', async () => {
    const { progress, terminal, clock } = setup({ columns: 80 });
    for (let done = 0; done <= 60; done += 1) {
      progress.update({ done, total: 100 });
      await clock.advance('250ms');
    }
    const drawn = terminal.stderr.split('\r\u001b[K').slice(1);
    expect(drawn).toHaveLength(61);
    expect(terminal.stderr).not.toContain('\n');
    expect(drawn.at(-1)).toBe('Moving  [#####################...............]   60%  60 of 100  4.0/s  ETA 10s');
    // It slows down: what counts is the last while.
    for (let done = 61; done <= 71; done += 1) {
      await clock.advance('1s');
      progress.update({ done, total: 100 });
      progress.update({ done, total: 100 });
    }
    expect(terminal.stderr.split('\r\u001b[K')).toHaveLength(62 + 11);
    expect(terminal.stderr.split('\r\u001b[K').at(-1)).toContain('71 of 100  1.0/s  ETA 29s');
  });

  it('elsewhere adds a line each quarter of a minute', async () => {
    const { progress, terminal, clock } = setup({});
    for (let done = 0; done <= 40; done += 1) {
      progress.update({ done, total: 100 });
      await clock.advance('1s');
    }
    expect(terminal.stderr).toBe('Moving: 15%, 15 of 100, 1.0/s, ETA 1m 25s\nMoving: 30%, 30 of 100, 1.0/s, ETA 1m 10s\n');
    expect(terminal.stdout).toBe('');
  });

  it('goes on with the time while nothing is heard of the work', async () => {
    const { progress, terminal, clock } = setup({ columns: 80 });
    let end = (): void => undefined;
    const work = progress.during(new Promise<void>((resolve) => (end = resolve)), () => ({ what: 'Migrating a-large-table' }));
    await clock.advance('3s');
    expect(terminal.stderr.split('\r\u001b[K').at(-1)).toBe('Migrating a-large-table  3s');
    end();
    await work;
    const before = terminal.stderr;
    await clock.advance('3s');
    expect(terminal.stderr).toBe(before);
  });
});

const root = fileURLToPath(new URL('../..', import.meta.url));
const redrive = `${process.execPath} ${join(root, 'node_modules/jiti/lib/jiti-cli.mjs')} ${join(root, 'bin/redrive.ts')}`;
// util-linux has it; what other systems call `script` takes other flags.
const script = '/usr/bin/script';

/** Runs a shell's commands on a pseudo-terminal of this width and returns what it showed. */
async function onTerminal({ cwd }: Project, columns: number, { commands, typed }: { commands: string; typed: string }): Promise<string> {
  const child = spawn(script, ['-qefc', `stty cols ${columns} -echo; ${commands}`, '/dev/null'], {
    cwd,
    env: { ...process.env, SHELL: '/bin/sh' },
  });
  let shown = '';
  child.stdout.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
    // At the end of its input `script` types the end of a file, and ends with its command.
    if (shown.endsWith('[y/N] ')) child.stdin.end(typed);
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect(code, shown).toBe(0);
  return shown;
}

describe.skipIf(process.platform !== 'linux' || !existsSync(script))('on a pseudo-terminal (needs Linux and its command script)', () => {
  it('a narrow one is never broken into two lines, what is asked is answered there, and stdout stays what it is', async () => {
    const project = await makeProject();
    project.write('jobs.jsonl', '{"name":"ping","options":{"queue":"slow"}}\n'.repeat(3_000));
    const commands = `${redrive} dispatch --file jobs.jsonl --json --database app.db > ids.json && ${redrive} migrate --rollback --database app.db > dropped.txt`;
    const shown = await onTerminal(project, 46, { commands, typed: 'y\n' });
    const { ids, errors } = JSON.parse(readFileSync(join(project.cwd, 'ids.json'), 'utf8')) as { ids: string[]; errors: unknown[] };
    expect([ids.length, errors]).toEqual([3_000, []]);
    const [dispatching = '', asking = ''] = shown.split(/(?=This drops)/);
    const lines = dispatching.split('\r\u001b[K').filter((line) => line !== '');
    expect(lines.length).toBeGreaterThan(1);
    expect(lines[0]).toMatch(/ \d{2}% {2}500\b/);
    for (const line of lines)
      expect(line).toMatch(/^Dispatching jobs {2}(?:\[[#.]+\] {2})? *\d+% {2}\d+(?: {2}\d+\/s)?(?: {2}(?:ETA )?\d+s)?$/);
    for (const line of lines) expect(line.length).toBeLessThan(46);
    expect(asking).toMatch(/redrive_jobs \(3000 row\(s\)\).*Go on\? \[y\/N\] /s);
    expect(readFileSync(join(project.cwd, 'dropped.txt'), 'utf8')).toContain('Dropped redrive_jobs\n');
  });
});
