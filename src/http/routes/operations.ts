import type { Redrive } from '../../redrive.ts';
import type { Operation } from '../operation.ts';
import type { ResolvedHttp } from '../options.ts';
import { clearing } from './clearing.ts';
import { failedJobs } from './failed-jobs.ts';
import { jobs } from './jobs.ts';
import { queues } from './queues.ts';
import { retrying } from './retrying.ts';
import { session } from './session.ts';

/** Every operation, in the order of the reference. Paths without parameters come first, or a parameter would swallow them. */
export function operations(redrive: Redrive, options: ResolvedHttp): readonly Operation[] {
  return [
    ...clearing(redrive, options),
    ...retrying(redrive, options),
    ...failedJobs(redrive, options),
    ...jobs(redrive),
    ...queues(redrive),
    ...session(options),
  ];
}
