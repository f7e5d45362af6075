// Inversify reads constructor types through it, so it has to be there before the first decorated class.
import 'reflect-metadata';

export type { Clock, Timer } from './clock.ts';
export type { AlertNotifier, AlertRule } from './config/alert-rule.ts';
export { defineConfig } from './config/define-config.ts';
export type { ConnectionConfig, LogFailedJobsProperties, RedriveConfig, WorkerPoolConfig } from './config/redrive-config.ts';
export { createRedrive, type RedriveRuntime } from './create-redrive.ts';
export type { DispatchOptions, JobSpec } from './dispatch/dispatcher.ts';
export type { Duration } from './duration.ts';
export { RedriveError, errorCodes, isRedriveError, type ErrorCode } from './errors.ts';
export type { BulkRetriesPage, BulkRetryOptions } from './failure/bulk-options.ts';
export { BulkRetry, type BulkRetryReport, type BySomebody } from './failure/bulk-retry.ts';
export type { BulkRetryState } from './record/bulk-retry-log.ts';
export type { AuditList, AuditOptions, AuditRecord } from './failure/audit.ts';
export type {
  AttemptHistory,
  FailedJob,
  FailedJobList,
  ListOptions,
  RetryOptions,
  RetryOutcome,
  RetryResult,
  RetryStatus,
} from './failure/failed-job.ts';
export { FailedJobs } from './failure/failed-jobs.ts';
export type { FailureGroup, Figures, GroupsOptions, HourCount, QueueCount, QueueSummary, TypeCount } from './failure/figures.ts';
export type { RetryForecast, RuleSource } from './failure/forecast.ts';
export { jobPattern } from './interceptor/job-pattern.ts';
export * from './interceptor/points.ts';
export {
  constant,
  exponential,
  linear,
  type Backoff,
  type BackoffContext,
  type BackoffFunction,
  type BackoffPolicy,
} from './job/backoff.ts';
export { defineJob, job, type DefineJobSpec, type JobArguments, type JobClass, type JobOptions, type PropertiesOf } from './job/define.ts';
export { RetryAfter, Unrecoverable, type ErrorClass } from './job/exceptions.ts';
export { Job } from './job/job.ts';
export type { Json, JsonObject } from './job/json.ts';
export type { Logger } from './logger.ts';
export { redriveModule } from './module.ts';
export { noCapabilities, type Capabilities } from './provider/capabilities.ts';
export * from './provider/pull-provider.ts';
export * from './provider/queue-provider.ts';
export { auditActions, type AuditAction, type AuditNote } from './record/audit-log.ts';
export type { FailedJobFilter, FailedJobStatus } from './record/failure-log.ts';
export type { AttemptRecord } from './record/attempt-record.ts';
export {
  failureKinds,
  type DecisionRule,
  type ExceptionSnapshot,
  type FailureKind,
  type FailureRecord,
  type WorkerIdentity,
} from './record/types.ts';
export type { ConnectionHealth, Health } from './health.ts';
export { Redrive } from './redrive.ts';
export type { JobStatus, JobStatusWord, StatusOptions, Worker } from './job-desk.ts';
export { PendingJob } from './dispatch/pending-job.ts';
export type { PoolHealth } from './worker/worker-pool.ts';
export type { StandardSchema } from './job/standard-schema.ts';
export type { DatabasePlan } from './database-schemas.ts';
export type { Loss, MigrationReport, MigrationState, MigrationStep, PlannedStep, StepsPlan } from './store/sql-store.ts';
export { ClockToken, InterceptorToken, LoggerToken } from './tokens.ts';
