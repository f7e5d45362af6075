import { definitionOf, type JobDefinition, type JobOptions } from '../job/define.ts';
import { isStandardSchema } from '../job/standard-schema.ts';
import { checkBackoff, checkBoolean, checkDuration, checkMaxAttempts, checkName, checkUnavailable, type Check } from './checks.ts';
import { isClass, providesMethod } from './class-value.ts';
import { describe, show } from './describe.ts';
import { below, here, type Finding } from './finding.ts';
import { didYouMean } from './nearest.ts';

const optionChecks: Readonly<Record<keyof JobOptions, Check>> = {
  maxAttempts: checkMaxAttempts,
  backoff: checkBackoff,
  timeout: checkDuration,
  failOn: checkErrorClasses,
  retryOn: checkErrorClasses,
  retryUntil: checkDuration,
  schema: checkSchema,
  unique: checkUnique,
  markAsFailed: checkBoolean,
};
const unavailableOptions: readonly string[] = ['isolate'];
const uniqueScopes: readonly string[] = ['queued', 'live', 'failed'];
const hooks: readonly string[] = ['handle', 'before', 'after', 'onFailure'];

/** The list of `jobs`: each a named class with a `handle` method, none twice, with options that hold. */
export const checkJobs: Check = (value) => {
  if (!Array.isArray(value)) return [here(`must be a list of job classes, such as [SendWelcomeEmail], not ${describe(value)}`)];
  const jobs: readonly unknown[] = value;
  return [...jobs.flatMap((job, index) => below(index, checkJob(job))), ...duplicates(jobs)];
};

function checkJob(job: unknown): readonly Finding[] {
  if (!isClass(job)) return [here(kindFault(job))];
  const definition = definitionOf(job);
  const findings: Finding[] = [];
  if (definition === undefined) findings.push(here(`${describe(job)} has no name of its own; add @job('name') above it`));
  else
    findings.push(
      ...checkName(definition.name).map(({ text }) => here(`the name of ${describe(job)} ${text}`)),
      ...checkOptions(definition),
    );
  if (!providesMethod(job, 'handle')) findings.push(here(`${describe(job)} has no handle method; write one: async handle() { ... }`));
  return findings;
}

/** What is wrong with an entry that is no class. */
function kindFault(job: unknown): string {
  if (typeof job === 'string' || typeof job === 'symbol') return 'is a service identifier; pass the job class itself';
  if (typeof job === 'function')
    return `is ${describe(job)}, which is no class; write defineJob({ name, handle }) to make a job of a function`;
  if (job === undefined) return 'is undefined; pass a job class (a class is undefined where imports run in a circle)';
  if (typeof job !== 'object' || job === null || Array.isArray(job)) return `is ${describe(job)}; pass a job class`;
  return `is an instance (${describe(job)}); each attempt needs a fresh object, so pass the class`;
}

function checkOptions({ name, options }: JobDefinition): readonly Finding[] {
  return Object.entries(options as Readonly<Record<string, unknown>>).flatMap(([key, value]): readonly Finding[] => {
    if (value === undefined) return [];
    const check = unavailableOptions.includes(key)
      ? checkUnavailable
      : Object.hasOwn(optionChecks, key)
        ? optionChecks[key as keyof JobOptions]
        : () => [here(unknownOption(key))];
    return below(key, check(value)).map(({ path, text }) => ({ path, text: `${text}, in the options of the job ${show(name)}` }));
  });
}

function unknownOption(key: string): string {
  if (hooks.includes(key)) return 'is a method of the job class, not an option';
  return `unknown key${didYouMean(key, [...Object.keys(optionChecks), ...unavailableOptions, ...hooks])}`;
}

function checkErrorClasses(value: unknown): readonly Finding[] {
  if (!Array.isArray(value)) return [here(`must be a list of error classes, such as [TypeError], not ${describe(value)}`)];
  return (value as readonly unknown[]).flatMap((entry, index) =>
    isClass(entry) ? [] : [{ path: [index], text: `must be an error class, not ${describe(entry)}` }],
  );
}

function checkSchema(value: unknown): readonly Finding[] {
  return isStandardSchema(value) ? [] : [here(`must be a Standard Schema, such as one of zod, valibot or arktype, not ${describe(value)}`)];
}

function checkUnique(value: unknown): readonly Finding[] {
  if (typeof value === 'function') return [];
  if (typeof value !== 'object' || value === null)
    return [here(`must be a function of the properties that returns a key, or { key, scope }, not ${describe(value)}`)];
  const { key, scope = 'live', ...others } = value as { key?: unknown; scope?: unknown };
  return [
    ...(typeof key === 'function' ? [] : [{ path: ['key'], text: 'must be a function of the properties that returns a string' }]),
    ...(uniqueScopes.includes(scope as string) ? [] : [{ path: ['scope'], text: `must be one of ${uniqueScopes.join(', ')}` }]),
    ...Object.keys(others).map((other) => ({ path: [other], text: `unknown key${didYouMean(other, ['key', 'scope'])}` })),
  ];
}

function duplicates(jobs: readonly unknown[]): readonly Finding[] {
  const firstByName = new Map<string, number>();
  return jobs.flatMap((job, index): readonly Finding[] => {
    const name = definitionOf(job)?.name;
    if (name === undefined) return [];
    const first = firstByName.get(name);
    if (first === undefined) {
      firstByName.set(name, index);
      return [];
    }
    if (jobs[first] === job) return [{ path: [index], text: `${describe(job)} is listed twice (see jobs[${first}]); remove one` }];
    return [
      { path: [index], text: `${describe(job)} has the name ${show(name)} of ${describe(jobs[first])} (jobs[${first}]); give it another` },
    ];
  });
}
