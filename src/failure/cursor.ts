import { createHash } from 'node:crypto';
import { RedriveError } from '../errors.ts';
import type { Place } from '../record/failure-log.ts';

type Order = 'newest' | 'oldest';

/** Where a list goes on: the place of the last row shown, or looked at, and which list it is of. */
export function encodeCursor({ at, id }: Place, filter: object, order: Order): string {
  return `${at.toString(36)}-${id.toString(36)}.${keyOf(filter, order)}`;
}

const placeForm = /^([0-9a-z]{1,11})-([0-9a-z]{1,11})$/;

/** Throws `CURSOR_INVALID` for what is no cursor, or one of another list. */
export function decodeCursor(cursor: string, filter: object, order: Order): Place {
  const [head = '', key] = cursor.split('.');
  const [at = Number.NaN, id = Number.NaN] = (placeForm.exec(head) ?? []).slice(1).map((text) => Number.parseInt(text, 36));
  if (!Number.isSafeInteger(at) || !Number.isSafeInteger(id))
    throw new RedriveError('CURSOR_INVALID', `"${cursor.slice(0, 100)}" is no cursor; use the one the last page ended with`);
  if (key !== keyOf(filter, order))
    throw new RedriveError('CURSOR_INVALID', 'The cursor belongs to another filter or order; begin again without it');
  return { at, id };
}

function keyOf(filter: object, order: Order): string {
  const sorted = Object.entries(filter)
    .filter(([, value]) => value !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([order, sorted]))
    .digest('base64url')
    .slice(0, 8);
}
