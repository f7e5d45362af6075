import type { Engine } from '../given-database.ts';
import { openServer } from '../server/open.ts';
import { sharedKey } from '../server/shared-key.ts';
import { partsOfConnection, postgresKind } from './kind.ts';

export const postgres: Engine = {
  clients: ['pg', 'postgres', 'postgresql'],
  keyOf: (given) => sharedKey(given, partsOfConnection(given.config.connection)),
  open: (given, access) => openServer(postgresKind, given, access),
};
