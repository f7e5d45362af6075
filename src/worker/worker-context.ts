import type { Clock } from '../clock.ts';
import type { InterceptorBus } from '../interceptor/bus.ts';
import type { JobClass } from '../job/define.ts';
import type { Job } from '../job/job.ts';
import type { JobRegistry } from '../job/registry.ts';
import type { Logger } from '../logger.ts';
import type { FailureLog } from '../record/failure-log.ts';
import type { Redactor } from '../record/redaction.ts';
import type { Heart } from './heart.ts';

/** What every pool of a process shares. */
export interface WorkerContext {
  readonly registry: JobRegistry;
  /** Builds a job object with its services. */
  readonly makeJob: (jobClass: JobClass) => Job | Promise<Job>;
  readonly bus: InterceptorBus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly redactor: Redactor;
  readonly release: string | undefined;
  readonly interceptorTimeoutMs: number;
  readonly host: string;
  readonly pid: number;
  /** Undefined under a clock that is not the system's, which a thread could not follow. */
  readonly heart: Heart | undefined;
  /** Undefined while the failed-jobs log is off. */
  readonly failureLog: () => Promise<FailureLog | undefined>;
}
