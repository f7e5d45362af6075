/** A process without any rights to files: gives its own up, since a test may well run as root. Started by `Child`. */
import Database from 'better-sqlite3';
import { DatabaseProvider } from '../../providers/database/index.ts';
import { createRedrive, isRedriveError, type Redrive } from '../../src/index.ts';
import type { StoreAccess } from '../../src/store/sql-store.ts';
import { RecordingLogger } from '../../src/testing/recording-logger.ts';
import { givenToChild, tell } from '../support/in-child.ts';

const calls = {
  list: (redrive: Redrive) => redrive.failedJobs.list(),
  dispatch: (redrive: Redrive) => redrive.dispatch('job'),
  migrate: (redrive: Redrive) => redrive.migrate(),
} as const;

export interface NobodyCall {
  readonly call: keyof typeof calls;
  readonly access: StoreAccess;
}

export interface NobodyOrders {
  readonly filename: string;
  readonly calls: readonly NobodyCall[];
}

export interface NobodySaid {
  readonly result?: unknown;
  readonly code?: string;
  readonly message?: string;
}

const nobody = 65_534;

/** Only now, when all code is loaded: the sources may lie where nobody may read. */
function giveUpRights(): void {
  new Database(':memory:').close();
  if (process.getuid?.() !== 0) return;
  process.setgroups?.([]);
  process.setgid?.(nobody);
  process.setuid?.(nobody);
}

async function answer({ call, access }: NobodyCall, filename: string): Promise<NobodySaid> {
  const connections = { main: { provider: DatabaseProvider, properties: { client: 'better-sqlite3', connection: { filename } } } };
  const redrive = await createRedrive({ connections, logFailedJobs: true }, { access, logger: new RecordingLogger() });
  try {
    return { result: await calls[call](redrive) };
  } catch (error) {
    return isRedriveError(error) ? { code: error.code, message: error.message } : { code: 'no RedriveError', message: String(error) };
  } finally {
    await redrive.stop();
  }
}

const orders = givenToChild<NobodyOrders>();
const warm = await createRedrive({
  connections: { main: { provider: DatabaseProvider, properties: { client: 'better-sqlite3', connection: { filename: ':memory:' } } } },
  logFailedJobs: true,
});
await warm.migrate();
await warm.stop();
giveUpRights();
for (const call of orders.calls) tell(await answer(call, orders.filename));
process.disconnect();
