import { createHash } from 'node:crypto';
import { RedriveError } from '../errors.ts';

type Order = 'newest' | 'oldest';

/** Where a list goes on: the `failure_seq` of the last row shown, and which list it is of. */
export function encodeCursor(seq: number, filter: object, order: Order): string {
  return `${seq.toString(36)}.${keyOf(filter, order)}`;
}

/** Throws `CURSOR_INVALID` for what is no cursor, or one of another list. */
export function decodeCursor(cursor: string, filter: object, order: Order): number {
  const [head = '', key] = cursor.split('.');
  const seq = /^[0-9a-z]{1,11}$/.test(head) ? Number.parseInt(head, 36) : Number.NaN;
  if (!Number.isSafeInteger(seq))
    throw new RedriveError('CURSOR_INVALID', `"${cursor.slice(0, 100)}" is no cursor; use the one the last page ended with`);
  if (key !== keyOf(filter, order))
    throw new RedriveError('CURSOR_INVALID', 'The cursor belongs to another filter or order; begin again without it');
  return seq;
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
