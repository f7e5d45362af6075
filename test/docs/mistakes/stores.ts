import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { config, refusedAtStart, sqlite, started, thrown, using, type Mistake } from './mistake.ts';
import { redrive } from '../../cli/terminal.ts';

const folder = mkdtempSync(join(tmpdir(), 'redrive-mistakes-'));

const startOn = (file: string, properties: object = {}): Mistake =>
  refusedAtStart({ connections: { default: sqlite(join(folder, file), properties as Readonly<Record<string, unknown>>) } });

/** What a command prints, for a config or a file it is given. */
const command = (...argv: string[]): Mistake => async () => {
  const ran = await redrive([...argv, '--json'], { cwd: folder });
  const { error } = JSON.parse(ran.stdout) as { error: { code: string; message: string } };
  return { code: error.code, text: error.message };
};

/** Mistakes in naming a database, or in preparing it. */
export const storeMistakes: Readonly<Record<string, Mistake>> = {
  'unmigrated': startOn('unmigrated.db', { autoMigrate: false }),
  'log-unmigrated': async () => {
    const unmigrated = { client: 'better-sqlite3', connection: { filename: join(folder, 'other.db') } };
    await started(config({ connections: { default: sqlite(join(folder, 'other.db')) }, logFailedJobs: false }), (redrive) => redrive.dispatch('some.job'));
    return thrown(() => using(config({ logFailedJobsProperties: { datasource: unmigrated } }), (redrive) => redrive.failedJobs.list(), { access: 'change' }));
  },
  'no-folder': startOn('missing/app.db'),
  'a-folder': startOn('.'),
  'no-database': async () => {
    writeFileSync(join(folder, 'notes.txt'), 'This file holds some notes, and no database.\n');
    return startOn('notes.txt')();
  },
  'no-file': command('failed', '--database', 'missing.db'),
  'no-config': command('failed'),
  'database-url': command('failed', '--database', 'postgres://localhost/app'),
  'foreign-transaction': async () => {
    const { default: knexModule } = await import('knex');
    const knex = knexModule({ client: 'better-sqlite3', connection: { filename: join(folder, 'theirs.db') }, useNullAsDefault: true });
    try {
      return await thrown(() => started(config(), (redrive) => knex.transaction((transaction) => redrive.dispatch('some.job', {}, { transaction }))));
    } finally {
      await knex.destroy();
    }
  },
};
