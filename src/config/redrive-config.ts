import type { ServiceIdentifier } from 'inversify';
import type { Knex } from 'knex';
import type { Duration } from '../duration.ts';
import type { Interceptor } from '../interceptor/points.ts';
import type { Backoff } from '../job/backoff.ts';
import type { JobClass } from '../job/define.ts';
import type { Logger } from '../logger.ts';
import type { QueueProvider } from '../provider/queue-provider.ts';
import type { StoreAddress } from '../store/sql-store.ts';
import type { AlertRule } from './alert-rule.ts';

/** A named link to a backend. */
export interface ConnectionConfig {
  /** A class, which the container builds; a service identifier bound in it (a string always is one); or an instance. */
  readonly provider: ServiceIdentifier<QueueProvider> | QueueProvider;
  /** What the provider is told; which keys there are is the provider's to say. Default `{}`. */
  readonly properties?: Readonly<Record<string, unknown>>;
  /** The queue of a job that names none. Default `'default'`. */
  readonly defaultQueue?: string;
}

/** A named set of workers on one connection. */
export interface WorkerPoolConfig {
  /** A name among `connections`. */
  readonly connection: string;
  /** One queue, several in order of precedence, or `'*'` for every queue. Default: the connection's `defaultQueue`. */
  readonly queues?: string | readonly string[];
  /** How many jobs run at a time, 1 to 10000. Default 1. */
  readonly quantity?: number;
  /** Executions of a job in total; 0: no limit. Default: `defaultWorkerMaxAttempts`. */
  readonly maxAttempts?: number;
  /** Delay between attempts. Default: `defaultWorkerBackoff`. */
  readonly backoff?: Backoff;
  /** How long one attempt may take; 0: no limit. Default: `defaultWorkerTimeout`. */
  readonly timeout?: Duration;
  /** How long running jobs may go on when the pool stops. Default: `defaultWorkerShutdownTimeout`. */
  readonly shutdownTimeout?: Duration;
}

/** An age, or a function that narrows a Knex query of the failed-jobs table; one that adds no condition removes nothing. */
export type CleanupCriteria = { readonly olderThan: Duration } | ((query: Knex.QueryBuilder, now: Date) => void);

/** The failed-jobs log. */
export interface LogFailedJobsProperties {
  /** Default `'cbq_failed_jobs'`. */
  readonly tableName?: string;
  /** A connection's name, a Knex config or a Knex instance. Default: the first connection whose provider is a database. */
  readonly datasource?: string | StoreAddress;
  /** `'auto'`: the database where there is one, else memory. Default `'auto'`. */
  readonly store?: 'auto' | 'database' | 'memory';
  readonly queryOptions?: {
    /** Database schema of the tables, where the engine has such. Default: the connection's. */
    readonly schema?: string;
    /** How long a statement that finds, lists or counts failed jobs may take on a server. Default: no limit of its own. */
    readonly timeout?: Duration;
  };
  /** Removal of old failed jobs on a schedule, by one process of all that run worker pools. Default: off. */
  readonly cleanup?: {
    readonly enabled?: boolean;
    /** A cron expression, in UTC. Default `'0 2 * * *'`. */
    readonly frequency?: string;
    /** Which failed jobs go, resolved ones among them; those being retried never do. Default `{ olderThan: '30d' }`. */
    readonly criteria?: CleanupCriteria;
  };
}

/**
 * What users write. A duration is a number of seconds or a string such as `'30s'`. Unknown keys are refused.
 *
 * @example
 * const config: RedriveConfig = {
 *   connections: { default: { provider: DatabaseProvider, properties: { client: 'better-sqlite3', connection: { filename: 'app.db' } } } },
 *   workerPools: { mail: { connection: 'default', queues: ['high', 'default'], quantity: 10, maxAttempts: 3, backoff: ['1s', '10s'] } },
 *   jobs: [SendWelcomeEmail],
 *   logFailedJobs: true,
 * };
 */
export interface RedriveConfig {
  /** Links to backends, by name. Default `{}`. */
  readonly connections?: Readonly<Record<string, ConnectionConfig>>;
  /** The connection of a job that names none. Default: the first of `connections`. */
  readonly defaultConnection?: string;
  /** Sets of workers, by name. Default `{}`. */
  readonly workerPools?: Readonly<Record<string, WorkerPoolConfig>>;
  /** False: this process only dispatches. Default: env `REDRIVE_REGISTER_WORKERS`, else true. */
  readonly registerWorkers?: boolean;
  /** Executions of a job in total where pool and job say nothing; 0: no limit. Default 1. */
  readonly defaultWorkerMaxAttempts?: number;
  /** Delay between attempts where pool and job say nothing. Default 0. */
  readonly defaultWorkerBackoff?: Backoff;
  /** How long one attempt may take where pool and job say nothing; 0: no limit. Default 60 s. */
  readonly defaultWorkerTimeout?: Duration;
  /** How long running jobs may go on when a pool that says nothing stops. Default 60 s. */
  readonly defaultWorkerShutdownTimeout?: Duration;
  /** How long a connection may take to close. Default 60 s. */
  readonly defaultConnectionShutdownTimeout?: Duration;
  /** A slower interceptor is logged and left behind. Default 30 s. */
  readonly interceptorTimeout?: Duration;
  /** Turns the failed-jobs log on. Default false: failed jobs stay in the jobs table alone. */
  readonly logFailedJobs?: boolean;
  /** Where the failed-jobs log is kept. Default: see its keys. */
  readonly logFailedJobsProperties?: LogFailedJobsProperties;
  /** Dot paths with `*`, or RegExps for text, removed from every failure record before it is stored, and from all output. Default `[]`. */
  readonly redact?: readonly (string | RegExp)[];
  /** Log each failed attempt. Default true. */
  readonly logAttempts?: boolean;
  /** Version or commit stamped on each attempt. Default: env `REDRIVE_RELEASE`. */
  readonly release?: string;
  /** The jobs this process can run: classes with `@job('name')`, and what `defineJob` returns. Default `[]`. */
  readonly jobs?: readonly JobClass[];
  /** Classes, service identifiers or instances, told in this order. Default `[]`. */
  readonly interceptors?: readonly (ServiceIdentifier<Interceptor> | Interceptor)[];
  /** Default: pino, as JSON lines on stderr. */
  readonly logger?: Logger;
  /** Rules that raise an alert when too much fails. They count in the failed-jobs log, which has to be on. Default `[]`. */
  readonly alerts?: readonly AlertRule[];
  /** Where batches are kept. Not available in this version: only an empty object is taken. */
  readonly batchRepositoryProperties?: Readonly<Record<string, never>>;
  /** Keys for properties and mementos at rest. Not available in this version. */
  readonly encryption?: undefined;
}
