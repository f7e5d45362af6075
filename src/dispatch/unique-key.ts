import { createHash } from 'node:crypto';
import { RedriveError } from '../errors.ts';
import type { UniqueOption } from '../job/define.ts';
import type { UniqueKey } from '../provider/queue-provider.ts';

/** The key a job asks for, of fixed length and apart for each job name. Throws `OPTIONS_INVALID` where the key function fails. */
export function uniqueKey(name: string, option: UniqueOption, properties: string): UniqueKey {
  const { key: keyOf, scope = 'live' } = typeof option === 'function' ? { key: option } : option;
  let key: unknown;
  try {
    key = keyOf(JSON.parse(properties) as never);
  } catch (error) {
    throw new RedriveError(
      'OPTIONS_INVALID',
      `Job "${name}" was not dispatched: its unique key function failed: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
  if (typeof key !== 'string' || key === '')
    throw new RedriveError(
      'OPTIONS_INVALID',
      `Job "${name}" was not dispatched: its unique key must be a non-empty string, not ${typeof key}`,
    );
  return {
    key: createHash('sha256')
      .update(JSON.stringify([name, key]))
      .digest('hex')
      .slice(0, 40),
    scope,
  };
}
