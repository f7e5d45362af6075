import type { ExitCode } from './faults.ts';
import type { Output } from './output.ts';

/** What became of one id that a command was given. */
export interface Outcome {
  readonly id: string | number;
  readonly status: string;
  /** What was asked for was done. */
  readonly done: boolean;
  /** Why not, or what follows. */
  readonly detail?: string | undefined;
}

/** Of a set that a filter chose only what was left behind is of interest, once it is this large. */
const mostListed = 100;
const mostNamed = 20;

/** A line for each id; where a filter chose a large set, only for those that were left behind. */
export function outcomeLines(outcomes: readonly Outcome[], how: { readonly byFilter: boolean }): string[] {
  const summary = how.byFilter && outcomes.length > mostListed;
  const shown = summary ? outcomes.filter(({ done }) => !done) : outcomes;
  return shown.map(({ id, status, detail = '' }) => `${id}  ${status}  ${detail}`.trimEnd());
}

/** Names on stderr what was left behind, as `2 not removed: 7 (retrying), 9 (not_found)`, and returns the exit status. */
export function nameLeft(out: Output, outcomes: readonly Outcome[], what: string): ExitCode {
  const left = outcomes.filter(({ done }) => !done);
  if (left.length === 0) return 0;
  const shown = left.slice(0, mostNamed).map(({ id, status }) => `${id} (${status})`);
  const more = left.length > shown.length ? ` and ${left.length - shown.length} more` : '';
  out.fault(`redrive: ${left.length} ${what}: ${shown.join(', ')}${more}`);
  return 1;
}
