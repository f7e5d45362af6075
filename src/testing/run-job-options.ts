import type { Duration } from '../duration.ts';
import { durationMs } from '../duration.ts';
import type { RedriveConfig } from '../config/redrive-config.ts';
import { didYouMean } from '../config/nearest.ts';
import type { DispatchOptions } from '../dispatch/dispatcher.ts';
import { RedriveError } from '../errors.ts';
import { VirtualClock } from './virtual-clock.ts';
import type { Services } from './services.ts';

const dispatchKeys = [
  'queue',
  'delay',
  'priority',
  'backoff',
  'timeout',
  'maxAttempts',
] as const satisfies readonly (keyof DispatchOptions)[];
const configKeys = [
  'redact',
  'interceptors',
  'interceptorTimeout',
  'release',
  'logAttempts',
  'defaultWorkerMaxAttempts',
  'defaultWorkerBackoff',
  'defaultWorkerTimeout',
] as const satisfies readonly (keyof RedriveConfig)[];
const ownKeys = ['services', 'attempts', 'elapse', 'clock', 'patience'] as const satisfies readonly (keyof OwnOptions)[];

interface OwnOptions {
  /**
   * What the job's and the interceptors' constructors inject: pairs of identifier and value, a Map of them, a container
   * module, or a list of both, where pairs win. Default: none. `Redrive` is a fake unless a pair names it.
   */
  readonly services?: Services;
  /** How many attempts to run at most; `'all'`: until the job has ended, the clock moved through each backoff. Default `'all'`. */
  readonly attempts?: number | 'all';
  /** How much time passes in each attempt once the job's code waits for something, on the virtual clock. Default 0. */
  readonly elapse?: Duration;
  /** Default: one that starts on 2026-01-01 at 00:00 UTC. */
  readonly clock?: VirtualClock;
  /** How long an attempt may take in real time before `runJob` gives up. Default 4 s. */
  readonly patience?: Duration;
}

/**
 * How `runJob` runs a job. Beside its own keys: those of a dispatch, which win over the job's own options, and some of
 * the config. What neither says is as in a config that says nothing: one attempt, no backoff, a timeout of 60 s.
 */
export type RunJobOptions = OwnOptions &
  Pick<DispatchOptions, (typeof dispatchKeys)[number]> &
  Pick<RedriveConfig, (typeof configKeys)[number]>;

export interface ResolvedRun {
  readonly services: Services;
  /** Infinity: all. */
  readonly attempts: number;
  readonly elapseMs: number;
  readonly patienceMs: number;
  readonly clock: VirtualClock;
  readonly dispatch: DispatchOptions;
  readonly config: RedriveConfig;
}

/** Throws `OPTIONS_INVALID`, or `DURATION_INVALID`, for options that do not hold. */
export function resolveRunOptions(options: RunJobOptions): ResolvedRun {
  const known: readonly string[] = [...ownKeys, ...dispatchKeys, ...configKeys];
  for (const key of Object.keys(options))
    if (!known.includes(key)) throw refused(`${key}: no such option${didYouMean(key, known)}; known are ${known.join(', ')}`);
  const { services = [], attempts = 'all', elapse = 0, patience = '4s', clock = new VirtualClock() } = options;
  if (attempts !== 'all' && (!Number.isSafeInteger(attempts) || attempts < 1))
    throw refused(`attempts: must be an integer of at least 1, or 'all', not ${String(attempts)}`);
  if (!(clock instanceof VirtualClock)) throw refused('clock: must be a VirtualClock');
  return {
    services,
    attempts: attempts === 'all' ? Number.POSITIVE_INFINITY : attempts,
    elapseMs: durationMs(elapse, 'elapse'),
    patienceMs: durationMs(patience, 'patience'),
    clock,
    dispatch: pick(options, dispatchKeys),
    config: pick(options, configKeys),
  };
}

function refused(fault: string): RedriveError {
  return new RedriveError('OPTIONS_INVALID', `runJob: ${fault}`);
}

function pick<T extends object, K extends keyof T>(from: T, keys: readonly K[]): Pick<T, K> {
  return Object.fromEntries(keys.flatMap((key) => (from[key] === undefined ? [] : [[key, from[key]]]))) as Pick<T, K>;
}
