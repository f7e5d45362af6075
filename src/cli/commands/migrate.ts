import type { Command } from 'commander';
import { complete, newCommand, type Cli, type CommonFlags } from '../cli.ts';
import type { ExitCode } from '../faults.ts';
import { withRedrive } from '../open.ts';

export function migrateCommand(cli: Cli): Command {
  const command = newCommand('migrate', cli).description('create the tables, or bring them up to date');
  return complete(command, cli, { run: (flags: CommonFlags) => migrate(flags, cli) });
}

/** Runs what is pending and prints each step. */
export async function migrate(flags: CommonFlags, cli: Cli): Promise<ExitCode> {
  const report = await withRedrive(cli, { flags, access: 'create' }, ({ redrive }) => redrive.migrate());
  if (flags.json === true) {
    cli.out.json({ applied: report.applied, pending: report.pending });
    return 0;
  }
  for (const step of report.applied) cli.out.line(`Applied ${step}`);
  cli.out.line(report.applied.length === 0 ? 'Nothing to migrate.' : `Applied ${report.applied.length} step(s).`);
  return 0;
}
