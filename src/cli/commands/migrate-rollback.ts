import type { Redrive } from '../../redrive.ts';
import type { Loss } from '../../store/sql-store.ts';
import type { Cli, CommonFlags } from '../cli.ts';
import { confirm, type YesFlag } from '../confirm.ts';
import type { ExitCode } from '../faults.ts';
import { withRedrive } from '../open.ts';

/** Undoes every step and prints what was dropped. Asks where rows would go. Exit 1 where the answer was no. */
export async function migrateRollback(flags: CommonFlags & YesFlag, cli: Cli): Promise<ExitCode> {
  return withRedrive<ExitCode>(cli, { flags, access: 'change' }, async ({ redrive }) => {
    const losses = await lossesOf(redrive);
    const missed = losses.filter(({ table, rows }) => rows > 0 && !keptForItself.includes(table));
    if (missed.length > 0 && !(await confirm(cli, flags, `This drops ${missed.map(lossText).join(', ')}`))) {
      if (flags.json === true) cli.out.json({ applied: [], pending: [], rolledBack: [] });
      else cli.out.line('Nothing was rolled back.');
      return 1;
    }
    const { applied, pending, rolledBack = [] } = await redrive.migrate({ rollback: true });
    if (flags.json === true) {
      cli.out.json({ applied, pending, rolledBack });
      return 0;
    }
    cli.out.lines([...losses.map((loss) => `Dropped ${lossName(loss)}`), ...rolledBack.map((step) => `Rolled back ${step}`)]);
    cli.out.line(rolledBack.length === 0 ? 'Nothing to roll back.' : `Rolled back ${rolledBack.length} step(s).`);
    return 0;
  });
}

/** Their rows are nobody's: they are there from the first day, and made again with the tables. */
const keptForItself: readonly string[] = ['redrive_sequences', 'redrive_migrations'];

/** What is dropped first stands first: the failed jobs. */
async function lossesOf(redrive: Redrive): Promise<readonly Loss[]> {
  const plans = await redrive.migrationPlan({ rollback: true });
  return plans.flatMap((plan) => plan.losses).toReversed();
}

function lossName({ table, columns }: Loss): string {
  return columns === undefined ? table : `${columns.length} column(s) of ${table}`;
}

/** `cbq_failed_jobs (3 rows)`. */
export function lossText(loss: Loss): string {
  return `${lossName(loss)} (${loss.rows} row(s))`;
}
