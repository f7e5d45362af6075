import type { Knex } from 'knex';
import { describe } from '../config/describe.ts';
import { didYouMean } from '../config/nearest.ts';
import { durationMs, type Duration } from '../duration.ts';
import { RedriveError } from '../errors.ts';
import { parseBackoff, type Backoff } from '../job/backoff.ts';
import type { StoredOptions } from '../job/memento.ts';

/** Options of one dispatch; each wins over the job's and the pool's. */
export interface DispatchOptions {
  /** Default: the connection's `defaultQueue`. */
  readonly queue?: string;
  /** Default: `defaultConnection`. */
  readonly connection?: string;
  /** Before the first attempt; default 0. */
  readonly delay?: Duration;
  /** Integer, larger first; default 0. */
  readonly priority?: number;
  /** A duration, a list or a policy; a function cannot be stored and is refused. */
  readonly backoff?: Backoff;
  /** How long one attempt may take; 0: no limit. */
  readonly timeout?: Duration;
  /** Executions in total; 0: no limit. */
  readonly maxAttempts?: number;
  /** A Knex transaction of yours: no commit, no job. */
  readonly transaction?: Knex.Transaction;
}

/** Dispatch options, checked: where to, when, and what is stored with the job. */
export interface ParsedDispatchOptions {
  readonly queue: string | undefined;
  readonly connection: string | undefined;
  readonly delayMs: number;
  readonly priority: number;
  readonly stored: StoredOptions;
  readonly transaction: Knex.Transaction | undefined;
}

const known = ['queue', 'connection', 'delay', 'priority', 'backoff', 'timeout', 'maxAttempts', 'transaction'];
const none: ParsedDispatchOptions = Object.freeze({
  queue: undefined,
  connection: undefined,
  delayMs: 0,
  priority: 0,
  stored: Object.freeze({}),
  transaction: undefined,
});

/** Throws `OPTIONS_INVALID` with every fault, naming the job. */
export function parseDispatchOptions(jobName: string, options: DispatchOptions | undefined): ParsedDispatchOptions {
  if (options === undefined) return none;
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new RedriveError(
      'OPTIONS_INVALID',
      `Job "${jobName}" was not dispatched: its options must be an object, not ${describe(options)}`,
    );
  const faults: string[] = [];
  const refuse = (fault: string): undefined => void faults.push(fault);
  for (const key of Object.keys(options)) if (!known.includes(key)) refuse(`${key}: no such option${didYouMean(key, known)}`);
  const { queue, connection, delay, priority = 0, transaction } = options;
  if (queue !== undefined && !isName(queue)) refuse('queue: must be a name of 1 to 255 characters');
  if (connection !== undefined && !isName(connection)) refuse('connection: must be a name');
  if (!Number.isSafeInteger(priority) || Math.abs(priority) > 2_147_483_647) refuse('priority: must be an integer; larger goes first');
  const parsed = {
    queue,
    connection,
    delayMs: delay === undefined ? 0 : (attempt(() => durationMs(delay, 'delay'), refuse) ?? 0),
    priority,
    stored: { ...parseStored(options, refuse), ...(priority === 0 ? {} : { priority }) },
    transaction,
  };
  if (faults.length > 0) throw new RedriveError('OPTIONS_INVALID', `Job "${jobName}" was not dispatched: ${faults.join('; ')}`, { faults });
  return parsed;
}

function parseStored({ maxAttempts, backoff, timeout }: DispatchOptions, refuse: (fault: string) => undefined): StoredOptions {
  const stored: { -readonly [K in keyof StoredOptions]: StoredOptions[K] } = {};
  if (maxAttempts !== undefined) {
    if (!Number.isSafeInteger(maxAttempts) || maxAttempts < 0)
      refuse('maxAttempts: must be an integer of at least 0, where 0 means no limit');
    stored.maxAttempts = maxAttempts;
  }
  if (timeout !== undefined) stored.timeoutMs = attempt(() => durationMs(timeout, 'timeout'), refuse) ?? 0;
  if (backoff !== undefined) {
    const plain = attempt(() => parseBackoff(backoff), refuse);
    if (typeof plain === 'function') refuse("backoff: a function cannot be stored with the job; put it into the job's options");
    else if (plain !== undefined) stored.backoff = plain;
  }
  return stored;
}

function attempt<T>(read: () => T, refuse: (fault: string) => undefined): T | undefined {
  try {
    return read();
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value.trim() !== '' && value.length <= 255;
}
