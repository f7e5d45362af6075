import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { config, refusedAtStart, sqlite, started, thrown, using, type Mistake } from './mistake.ts';
import { redrive } from '../../cli/terminal.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

async function startOn(file: string, properties: Readonly<Record<string, unknown>> = {}): ReturnType<Mistake> {
  return refusedAtStart({ connections: { default: sqlite(file, properties) } })();
}

/** What a command prints, for a config or a file it is given. */
const command =
  (...argv: string[]): Mistake =>
  async () => {
    const ran = await redrive([...argv, '--json'], { cwd: temporaryFolder() });
    const { error } = JSON.parse(ran.stdout) as { error: { code: string; message: string } };
    return { code: error.code, text: error.message };
  };

/** Mistakes in naming a database, or in preparing it. */
export const storeMistakes: Readonly<Record<string, Mistake>> = {
  unmigrated: () => startOn(join(temporaryFolder(), 'app.db'), { autoMigrate: false }),
  'log-unmigrated': async () => {
    const filename = join(temporaryFolder(), 'app.db');
    const unmigrated = { client: 'better-sqlite3', connection: { filename } };
    await started(config({ connections: { default: sqlite(filename) }, logFailedJobs: false }), (redrive) => redrive.dispatch('some.job'));
    return thrown(() =>
      using(config({ logFailedJobsProperties: { datasource: unmigrated } }), (redrive) => redrive.failedJobs.list(), { access: 'change' }),
    );
  },
  'no-folder': () => startOn(join(temporaryFolder(), 'missing/app.db')),
  'a-folder': () => startOn(temporaryFolder()),
  'no-database': async () => {
    const file = join(temporaryFolder(), 'notes.txt');
    writeFileSync(file, 'This file holds some notes, and no database.\n');
    return startOn(file);
  },
  'no-file': command('failed', '--database', 'missing.db'),
  'no-config': command('failed'),
  'database-url': command('failed', '--database', 'mongodb://localhost/app'),
  'foreign-transaction': async () => {
    const { default: knexModule } = await import('knex');
    const knex = knexModule({
      client: 'better-sqlite3',
      connection: { filename: join(temporaryFolder(), 'theirs.db') },
      useNullAsDefault: true,
    });
    try {
      return await thrown(() =>
        started(config(), (redrive) => knex.transaction((transaction) => redrive.dispatch('some.job', {}, { transaction }))),
      );
    } finally {
      await knex.destroy();
    }
  },
};
