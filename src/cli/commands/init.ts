import type { Command } from 'commander';
import { complete, newCommand, type Cli, type CommonFlags } from '../cli.ts';
import type { ExitCode } from '../faults.ts';
import { databaseName } from '../init/config-file.ts';
import { examplePath } from '../init/example-job.ts';
import { initProject, type InitReport } from '../init/init-project.ts';
import { pad, shellWord } from '../text.ts';

export function initCommand(cli: Cli): Command {
  const command = newCommand('init', cli)
    .summary('write a config, an example job and npm scripts')
    .description('write a config, an example job and npm scripts into this project; overwrites nothing');
  return complete(command, cli, { run: (flags: CommonFlags) => init(flags, cli), database: false });
}

/** Makes a project ready for its first job, and prints the commands that come next. */
export async function init(flags: CommonFlags, cli: Cli): Promise<ExitCode> {
  const report = await initProject(cli.io.cwd, flags.config);
  const next = nextCommands(flags.config === undefined ? '' : ` --config ${shellWord(flags.config)}`);
  if (flags.json === true) {
    const { written, kept, scripts } = report;
    cli.out.json({ written, kept, scripts, next: next.map(([command]) => command) });
    return 0;
  }
  cli.out.lines([...whatWasDone(report), '', 'Next:', ...aligned(next)]);
  return 0;
}

function whatWasDone({ written, kept, scripts, config, hasExample, installed }: InitReport): string[] {
  const lines = written.filter((path) => path !== 'package.json').map((path) => `Wrote ${path}.`);
  if (scripts.added.length > 0) lines.push(`Added to package.json the ${named(scripts.added)}.`);
  for (const path of kept) lines.push(`Left ${path} as it was.`);
  if (scripts.kept.length > 0)
    lines.push(`Left in package.json the ${named(scripts.kept)} as ${scripts.kept.length === 1 ? 'it was' : 'they were'}.`);
  if (hasExample === undefined && written.includes(examplePath)) lines.push(`To use the example job, add it to the jobs of ${config}.`);
  if (hasExample === false) lines.push(`${examplePath} exports no job named example; add your own jobs to ${config}.`);
  if (!installed) lines.push('package.json does not list redrive yet; install it in this project.');
  return lines;
}

function named(scripts: readonly string[]): string {
  return `script${scripts.length === 1 ? '' : 's'} ${scripts.join(' and ')}`;
}

type Next = readonly [command: string, does: string];

function nextCommands(flags: string): readonly Next[] {
  return [
    [`npx redrive migrate${flags}`, `creates ${databaseName}`],
    [`npx redrive dispatch${flags} example`, 'puts the example job on its queue'],
    [`npx redrive work${flags} --stop-when-empty`, 'runs it; it fails, as it is meant to'],
    [`npx redrive failed${flags} show 1`, 'says why, and what to change'],
    [`npx redrive retry${flags} 1`, 'puts it back, to be worked again'],
  ];
}

function aligned(next: readonly Next[]): string[] {
  const width = Math.max(...next.map(([command]) => command.length));
  return next.map(([command, does]) => `  ${pad(command, width)}  ${does}`);
}
