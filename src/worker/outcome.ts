import type { RedriveError } from '../errors.ts';

/** How an attempt ended, as data. */
export type Outcome =
  | { readonly status: 'completed'; readonly result: unknown }
  | { readonly status: 'released'; readonly delayMs: number }
  | { readonly status: 'threw'; readonly exception: unknown; readonly byFail: boolean }
  | { readonly status: 'timed-out'; readonly exception: RedriveError }
  | { readonly status: 'cancelled'; readonly exception: RedriveError }
  | { readonly status: 'lost'; readonly exception: RedriveError; readonly lossesBefore: number }
  | { readonly status: 'unprocessable'; readonly exception: unknown }
  /** Aborted by a shutdown, and its handler has ended: it goes back uncounted. */
  | { readonly status: 'shut-down'; readonly exception: unknown };
