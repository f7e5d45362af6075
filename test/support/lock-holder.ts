/** A process that holds a SQLite file locked until it is told to let go, or killed. Started by `Child`. */
import Database from 'better-sqlite3';
import { givenToChild, tell } from './in-child.ts';

export interface LockOrders {
  readonly filename: string;
  /** Default: the right to write. `exclusive`: nobody may even read, where the file is not in WAL mode. */
  readonly lock?: 'immediate' | 'exclusive';
}

export interface LockSaid {
  readonly said: 'locked' | 'released';
}

const { filename, lock = 'immediate' } = givenToChild<LockOrders>();
const database = new Database(filename);
database.exec(lock === 'immediate' ? 'BEGIN IMMEDIATE' : 'BEGIN EXCLUSIVE');
tell({ said: 'locked' } satisfies LockSaid);
process.once('message', () => {
  database.exec('COMMIT');
  database.close();
  tell({ said: 'released' } satisfies LockSaid);
  process.disconnect();
});
