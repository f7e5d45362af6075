import type { Newable, ServiceIdentifier } from 'inversify';
import type { BackoffFunction, PlainBackoff } from '../job/backoff.ts';
import type { JobClass } from '../job/define.ts';
import type { Interceptor } from '../interceptor/points.ts';
import type { Logger } from '../logger.ts';
import type { QueueProvider } from '../provider/queue-provider.ts';
import type { FailureKind } from '../record/types.ts';
import type { StoreAddress } from '../store/sql-store.ts';
import type { Knex } from 'knex';
import type { AlertNotifier } from './alert-rule.ts';
import type { Schedule } from './cron.ts';

/** How something of the user's is come by: built from a class by the container, looked up there, or given. */
export type ServiceRef<T> =
  | { readonly from: 'class'; readonly value: Newable<T> }
  | { readonly from: 'identifier'; readonly value: ServiceIdentifier<T> }
  | { readonly from: 'instance'; readonly value: T };

export interface ResolvedConnection {
  readonly name: string;
  readonly provider: ServiceRef<QueueProvider>;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly defaultQueue: string;
}

/** How a pool's jobs are worked. */
export interface ResolvedWorkerSettings {
  /** 0: no limit. */
  readonly maxAttempts: number;
  readonly backoff: PlainBackoff | BackoffFunction;
  /** 0: no limit. */
  readonly timeoutMs: number;
  readonly shutdownTimeoutMs: number;
}

export interface ResolvedPool extends ResolvedWorkerSettings {
  readonly name: string;
  readonly connection: string;
  /** In order of precedence; `'*'`: every queue. */
  readonly queues: readonly string[];
  readonly quantity: number;
}

export interface ResolvedFailedJobs {
  readonly tableName: string;
  /** Undefined: the first connection whose provider is a database. A name is a connection's. */
  readonly datasource: string | StoreAddress | undefined;
  readonly store: 'auto' | 'database' | 'memory';
  /** Database schema, where the engine has such. */
  readonly schema: string | undefined;
  readonly timeoutMs: number | undefined;
  /** Undefined: off. */
  readonly cleanup: ResolvedCleanup | undefined;
}

/** Removal of old failed jobs on a schedule. */
export interface ResolvedCleanup {
  readonly schedule: Schedule;
  readonly criteria: { readonly olderThanMs: number } | ((query: Knex.QueryBuilder, now: Date) => void);
}

/** A rule of `alerts`; a key that does not narrow is undefined. */
export interface ResolvedAlertRule {
  readonly name: string;
  readonly failures: number;
  readonly withinMs: number;
  readonly cooldownMs: number;
  readonly queue: string | undefined;
  readonly job: string | undefined;
  readonly kind: FailureKind | undefined;
  /** `new`: groups that were never seen before. */
  readonly fingerprint: string | undefined;
  /** Empty: the log. */
  readonly notifiers: readonly AlertNotifier[];
}

/** The config with every default filled in; inner code never sees a default again. Frozen. */
export interface ResolvedConfig {
  readonly connections: ReadonlyMap<string, ResolvedConnection>;
  /** Undefined where there is no connection at all. */
  readonly defaultConnection: string | undefined;
  readonly workerPools: readonly ResolvedPool[];
  /** Where no pool says anything. */
  readonly workerDefaults: ResolvedWorkerSettings;
  readonly registerWorkers: boolean;
  readonly connectionShutdownTimeoutMs: number;
  readonly interceptorTimeoutMs: number;
  /** Undefined: the log is off. */
  readonly failedJobs: ResolvedFailedJobs | undefined;
  readonly redact: readonly (string | RegExp)[];
  readonly logAttempts: boolean;
  readonly release: string | undefined;
  readonly jobs: readonly JobClass[];
  readonly interceptors: readonly ServiceRef<Interceptor>[];
  readonly alerts: readonly ResolvedAlertRule[];
  readonly logger: Logger | undefined;
}
