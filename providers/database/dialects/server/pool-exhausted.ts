import { RedriveError } from '../../../../src/errors.ts';

/** What Knex's pool says when every connection of it stayed in use; undefined where it is another error. */
export function poolExhausted(error: Error, location: string): RedriveError | undefined {
  if (error.name !== 'KnexTimeoutError') return undefined;
  return new RedriveError(
    'STORE_UNREACHABLE',
    `${location}: no connection became free in time; raise the pool's max, or look for what holds its connections`,
    { cause: error },
  );
}
