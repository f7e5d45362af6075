import type { Redrive } from '../../redrive.ts';
import type { OpenApiDocument } from '../docs/document.ts';
import type { Operation } from '../operation.ts';
import type { ResolvedHttp } from '../options.ts';
import { bulkRetries } from './bulk-retries.ts';
import { clearing } from './clearing.ts';
import { docs } from './docs.ts';
import { failedJobs } from './failed-jobs.ts';
import { jobs } from './jobs.ts';
import { probes } from './probes.ts';
import { queues } from './queues.ts';
import { records } from './records.ts';
import { retrying } from './retrying.ts';
import { session } from './session.ts';
import { settling } from './settling.ts';
import { workers } from './workers.ts';

export interface OperationsContext {
  readonly redrive: Redrive;
  readonly options: ResolvedHttp;
  /** Made when first asked for: by then it knows every operation. */
  readonly document: () => OpenApiDocument;
}

/** Every operation. Paths without parameters come before those with one, which would swallow them. */
export function operations({ redrive, options, document }: OperationsContext): readonly Operation[] {
  return [
    ...clearing(redrive, options),
    ...bulkRetries(redrive, options),
    ...retrying(redrive, options),
    ...settling(redrive),
    ...failedJobs(redrive, options),
    ...jobs(redrive),
    ...queues(redrive),
    ...workers(redrive),
    ...records(redrive, options),
    ...session(options),
    ...docs(document),
    ...probes(redrive),
  ];
}
