import { failureLogOf } from '../../providers/memory/memory-provider.ts';
import type { Backends } from '../connections.ts';
import { RedriveError } from '../errors.ts';

/** Nothing but this process's memory: a fake opens no database, whatever its config says. */
export const memoryBackends: Backends = {
  stores: () => Promise.reject(noDatabase()),
  failureLog: () => Promise.reject(noDatabase()),
  failureLogMigrations: () => Promise.reject(noDatabase()),
  afterMigration: () => Promise.reject(noDatabase()),
  memoryFailureLog: async (providers) => failureLogOf(providers),
};

function noDatabase(): RedriveError {
  return new RedriveError('CAPABILITY_MISSING', 'A fake Redrive has no database; make a real one with createRedrive');
}
