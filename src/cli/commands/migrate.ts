import type { Command } from 'commander';
import type { DatabasePlan, MigrationProgress } from '../../database-schemas.ts';
import { complete, newCommand, type Cli, type CommonFlags } from '../cli.ts';
import { yesOption, type YesFlag } from '../confirm.ts';
import { UsageError, type ExitCode } from '../faults.ts';
import { withRedrive } from '../open.ts';
import { Progress, type Standing } from '../progress.ts';
import { printableLines } from '../text.ts';
import { lossText, migrateRollback } from './migrate-rollback.ts';

export interface MigrateFlags extends CommonFlags, YesFlag {
  readonly status?: boolean;
  readonly rollback?: boolean;
  readonly sql?: boolean;
}

export function migrateCommand(cli: Cli): Command {
  const command = newCommand('migrate', cli)
    .description('create the tables, or bring them up to date')
    .option('--status', 'run nothing, and say which steps have run')
    .option('--sql', 'run nothing, and print the SQL that would; also with --rollback')
    .option('--rollback', 'undo every step: drops the tables, with all that is in them')
    .option(yesOption[0], `with --rollback: ${yesOption[1]}`);
  return complete(command, cli, { run: (flags: MigrateFlags) => migrate(flags, cli) });
}

/** Creates, upgrades or drops the tables, or says what that would do. */
export async function migrate(flags: MigrateFlags, cli: Cli): Promise<ExitCode> {
  if (flags.status === true && (flags.sql === true || flags.rollback === true))
    throw new UsageError('--status goes with neither --sql nor --rollback');
  if (flags.yes === true && flags.rollback !== true) throw new UsageError('--yes goes with --rollback');
  if (flags.status === true) return status(flags, cli);
  if (flags.sql === true) return sql(flags, cli);
  return flags.rollback === true ? migrateRollback(flags, cli) : upgrade(flags, cli);
}

async function upgrade(flags: MigrateFlags, cli: Cli): Promise<ExitCode> {
  const { applied, pending } = await withRedrive(cli, { flags, access: 'create' }, ({ redrive }) => {
    const progress = new Progress(cli, 'Migrating');
    let standing: Standing = {};
    const onProgress: MigrationProgress = ({ what, done, total }) => {
      standing = { what: `Migrating ${what}`, done, total };
      progress.update(standing);
    };
    // A statement over a large table may take minutes, in which nothing is told.
    return progress.during(redrive.migrate({ onProgress }), () => standing);
  });
  if (flags.json === true) cli.out.json({ applied, pending });
  else
    cli.out.lines([
      ...applied.map((step) => `Applied ${step}`),
      applied.length === 0 ? 'Nothing to migrate.' : `Applied ${applied.length} step(s).`,
    ]);
  return 0;
}

async function status(flags: MigrateFlags, cli: Cli): Promise<ExitCode> {
  return withRedrive<ExitCode>(cli, { flags, access: 'look' }, async ({ redrive, flags: store }) => {
    const { applied, pending } = await redrive.migrations();
    if (flags.json === true) {
      cli.out.json({ applied, pending });
      return 0;
    }
    cli.out.lines([...applied.map((step) => `applied  ${step}`), ...pending.map((step) => `pending  ${step}`)]);
    cli.out.line(pending.length === 0 ? 'Nothing to migrate.' : `${pending.length} step(s) to run: redrive migrate${store}`);
    return 0;
  });
}

async function sql(flags: MigrateFlags, cli: Cli): Promise<ExitCode> {
  const rollback = flags.rollback === true;
  // What a rollback does may depend on the rows: only the tables themselves can tell.
  const access = rollback ? 'change' : 'plan';
  const plans = await withRedrive(cli, { flags, access }, ({ redrive }) => redrive.migrationPlan({ rollback }));
  const steps = plans.flatMap((plan) => plan.steps);
  if (flags.json === true) cli.out.json({ applied: [], pending: rollback ? [] : steps.map(({ name }) => name), databases: plans });
  else for (const text of plans.flatMap(script)) cli.out.line(text);
  return 0;
}

/** One transaction, as the command itself would run it. */
function script({ database, steps, losses }: DatabasePlan): string[] {
  const lines = steps.flatMap(({ name, statements }) => [
    '',
    `-- ${name}`,
    ...statements.flatMap((statement) => printableLines(`${statement};`)),
  ]);
  if (lines.length === 0) return [`-- ${database}: nothing to do`];
  return [`-- ${database}`, ...losses.map((loss) => `-- drops ${lossText(loss)}`), 'BEGIN;', ...lines, '', 'COMMIT;'];
}
