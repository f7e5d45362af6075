import type { GivenDatabase } from '../given-database.ts';

const numbers = new WeakMap<object, number>();
let last = 0;

/** A number for each object, the same whenever it is asked for. */
function numberOf(object: object): number {
  const known = numbers.get(object);
  if (known !== undefined) return known;
  numbers.set(object, ++last);
  return last;
}

/** By what two configs share a store: a user's instance is shared by whoever names it, and so is a server with the same user, settings and names. */
export function sharedKey({ config, instance, names }: GivenDatabase, place: object): string {
  const { connection, searchPath, pool } = config;
  const where = instance !== undefined ? numberOf(instance) : typeof connection === 'function' ? numberOf(connection) : place;
  return JSON.stringify([where, searchPath, pool, names.schema, names.prefix]);
}
