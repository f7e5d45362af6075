import { first, type Script } from '../../../src/store/script.ts';

/** Takes the next `count` numbers of the order of becoming ready, and returns the one before the first. */
export function* drawReadySeqs(count: number): Script<number> {
  if (count === 0) return 0;
  const row = yield* first<{ value: number }>(`UPDATE redrive_sequences SET value = value + ? WHERE name = 'ready' RETURNING value`, [
    count,
  ]);
  return (row?.value ?? 0) - count;
}
