/**
 * Every code a {@link RedriveError} can carry, with the sentence the reference prints beside it.
 * A code, once published, keeps its meaning.
 */
export const errorCodes = {
  CAPABILITY_MISSING: 'A pool or call asks its provider for something the provider cannot do.',
  CONFIG_INVALID: 'The config has faults; the message lists every one with its path.',
  CONFIG_NOT_FOUND: 'No redrive.config file was found, or the named one does not exist.',
  CONNECTION_UNKNOWN: 'A name was used that is not among `connections`.',
  CURSOR_INVALID: 'A list cursor is not one that a list of this filter returned.',
  DRIVER_MISSING: 'The npm package of a database or broker driver is not installed.',
  DURATION_INVALID: 'A duration is neither a number of seconds nor a string such as "30s".',
  FAILED_JOBS_OFF: 'The failed-jobs log is off; set `logFailedJobs: true`.',
  FILTER_INVALID: 'A filter of failed jobs has an unknown key or a bad value.',
  JOB_CANCELLED: 'The job was cancelled while it ran.',
  JOB_LOST: 'The worker that ran the job died or lost its lease.',
  JOB_NOT_RUNNING: 'A job read its id, properties or signal outside of an attempt.',
  JOB_RELEASED: 'The job asked to be put back.',
  JOB_TIMEOUT: 'An attempt took longer than its timeout.',
  JOB_UNKNOWN: 'No job of this name is registered.',
  JOB_UNNAMED: 'A job class has neither @job(name) nor came from defineJob.',
  JOB_UNRESOLVABLE: 'The container cannot build a job, provider or interceptor.',
  LEASE_LOST: 'The session of this worker was declared dead; its late writes are refused.',
  MAX_ATTEMPTS_REACHED: 'The job was released by its last attempt.',
  MIGRATION_FAILED: 'The tables could not be created or upgraded.',
  OPTIONS_INVALID: 'A dispatch or call option is unknown or has a bad value.',
  PAYLOAD_TOO_LARGE: 'A job or a record is larger than the database takes.',
  PAYLOAD_UNREADABLE: 'A stored job cannot be parsed.',
  PROPERTIES_INVALID: 'Properties hold something that JSON cannot carry.',
  QUEUE_UNKNOWN: 'No worker pool of the connection serves this queue.',
  STOPPED: 'Redrive was stopped; make a new one to go on.',
  STORE_BROKEN: 'The database refused a statement for a reason of its own.',
  STORE_DENIED: 'The database server refuses this user.',
  STORE_LOCKED: 'Another process holds the database locked for too long.',
  STORE_MISSING: 'The database file, or its folder, does not exist.',
  STORE_NOT_A_DATABASE: 'The file exists but is no database.',
  STORE_READ_ONLY: 'The database cannot be written.',
  STORE_TIMEOUT: 'A query of the failed jobs took longer than `queryOptions.timeout`.',
  STORE_TOO_OLD: 'The database server is older than what is supported.',
  STORE_UNMIGRATED: 'The tables are missing or of an older version; run `redrive migrate`.',
  STORE_UNREACHABLE: 'The database server does not answer, or has no connection to spare.',
  STORE_UNSUPPORTED: 'This kind of database is not supported.',
} as const;

export type ErrorCode = keyof typeof errorCodes;

export interface RedriveErrorOptions {
  readonly cause?: unknown;
  /** One line a fault, where a call found several at once. */
  readonly faults?: readonly string[];
}

/** What Redrive itself throws: a stable `code`, and a message that says what to do next. */
export class RedriveError extends Error {
  readonly code: ErrorCode;
  readonly faults: readonly string[];

  constructor(code: ErrorCode, message: string, options: RedriveErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = 'RedriveError';
    this.code = code;
    this.faults = options.faults ?? [];
    // The message tells them already; a record of the error need not repeat them.
    Object.defineProperty(this, 'faults', { enumerable: false });
    Object.defineProperty(this, 'name', { enumerable: false });
  }
}

/** True for a {@link RedriveError}, also one of another copy of the package, with this code where one is given. */
export function isRedriveError(value: unknown, code?: ErrorCode): value is RedriveError {
  if (!(value instanceof Error) || value.name !== 'RedriveError') return false;
  const found = (value as Partial<RedriveError>).code;
  return code === undefined ? typeof found === 'string' : found === code;
}

/** A store that is away, locked or not to be used. One that refuses a statement, `STORE_BROKEN`, may mean what it was given. */
export function isOfStore(error: unknown): boolean {
  return isRedriveError(error) && error.code.startsWith('STORE_') && error.code !== 'STORE_BROKEN';
}
