import { change, type Script } from '../../../src/store/script.ts';

/** Prolongs the lease of a session and does nothing else; returns false where the session is dead. */
export function* prolong(sessions: string, session: number, times: { readonly now: number; readonly leaseMs: number }): Script<boolean> {
  const changed = yield* change(`UPDATE ${sessions} SET renewed_at = ?, expires_at = ? WHERE id = ? AND dead_at IS NULL`, [
    times.now,
    times.now + times.leaseMs,
    session,
  ]);
  return changed > 0;
}
