import { describe, isPlainObject } from '../config/describe.ts';
import { didYouMean } from '../config/nearest.ts';
import { RedriveError } from '../errors.ts';
import type { JobClass } from '../job/define.ts';
import type { DispatchOptions } from './dispatch-options.ts';

/** One entry of a list of jobs to dispatch: what `redrive.job(...)` returns, or an object of its own. */
export interface JobSpec {
  readonly job: JobClass | string;
  readonly properties?: object;
  readonly options?: DispatchOptions;
}

const known = ['job', 'properties', 'options'];

/** Throws `OPTIONS_INVALID` for what is no list of entries. */
export function checkSpecs(specs: unknown): readonly JobSpec[] {
  if (Array.isArray(specs)) return specs as readonly JobSpec[];
  throw new RedriveError(
    'OPTIONS_INVALID',
    `A list of jobs must be an array, such as [{ job: SendWelcomeEmail, properties }], not ${describe(specs)}`,
  );
}

/** Throws `OPTIONS_INVALID` for what is no entry, and for keys nobody knows. */
export function checkSpec(spec: unknown): JobSpec {
  if (typeof spec !== 'object' || spec === null || Array.isArray(spec) || !('job' in spec))
    throw new RedriveError('OPTIONS_INVALID', `it must be redrive.job(...) or { job, properties, options }, not ${lacking(spec)}`);
  // What redrive.job(...) returns has parts of its own.
  const unknown = isPlainObject(spec) ? Object.keys(spec).filter((key) => !known.includes(key)) : [];
  if (unknown.length === 0) return spec as JobSpec;
  const faults = unknown.map((key) => `${key}: no such key${didYouMean(key, known) || `; known are ${known.join(', ')}`}`);
  throw new RedriveError('OPTIONS_INVALID', faults.join('; '), { faults });
}

function lacking(spec: unknown): string {
  if (!isPlainObject(spec)) return describe(spec);
  const keys = Object.keys(spec);
  return keys.length === 0 ? 'an empty object' : `an object of ${keys.slice(0, 5).join(', ')}`;
}
