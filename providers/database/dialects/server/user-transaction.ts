import type { Knex } from 'knex';
import { RedriveError } from '../../../../src/errors.ts';
import type { RawConnection, ServerEngine } from './engine.ts';

/** The connection of a user's open transaction. Throws `OPTIONS_INVALID` for anything else. */
export async function connectionOf(transaction: Knex.Transaction, { knexDialect }: ServerEngine, location: string): Promise<RawConnection> {
  if (!isTransaction(transaction)) throw invalid('it is no Knex transaction; pass what the callback of knex.transaction() is given');
  // Its connection is somebody else's by now: the job would be stored all the same, or in another's transaction.
  if (transaction.isCompleted()) throw invalid('it has ended; dispatch before its commit, or without it');
  const client = transaction.client as { readonly dialect: string; acquireConnection(): Promise<RawConnection> };
  if (client.dialect !== knexDialect) throw invalid(`it is one of ${client.dialect}, but the job's connection leads to ${location}`);
  return client.acquireConnection();
}

/** Says that a transaction is one of another database. */
export function foreignTransaction(location: string): RedriveError {
  return invalid(`it belongs to another database than the job's connection, which leads to ${location}`);
}

function isTransaction(value: unknown): value is Knex.Transaction {
  return typeof value === 'function' && (value as { isTransaction?: unknown }).isTransaction === true;
}

function invalid(what: string): RedriveError {
  return new RedriveError('OPTIONS_INVALID', `transaction: ${what}`);
}
