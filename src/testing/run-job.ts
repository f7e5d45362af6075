import { AssertionError } from 'node:assert';
import { clearTimeout, setTimeout } from 'node:timers';
import { nameOf } from '../dispatch/dispatcher.ts';
import { formatDuration } from '../duration.ts';
import { isRedriveError, RedriveError } from '../errors.ts';
import type { JobArguments, JobClass, PropertiesOf } from '../job/define.ts';
import { callSite } from './call-site.ts';
import { attemptsOf, type JobAttempt, type JobRun, type ResultOf } from './job-run.ts';
import { resolveRunOptions, type ResolvedRun, type RunJobOptions } from './run-job-options.ts';
import { Workbench } from './workbench.ts';

/** A job without a limit that has not ended by then was not meant to be run to its end. */
const mostUnlimited = 100;

/**
 * Runs one job as a worker would, from dispatch to the last announcement: reserve, start, run, decide, settle, announce.
 * Jobs and failed jobs are kept in memory, and time is virtual: a backoff of an hour takes none. What the job throws is
 * in what is returned; a dispatch that is refused rejects as it would anywhere.
 *
 * @example
 * const run = await runJob(SendWelcomeEmail, { userId: 1 }, { services: [[Mailer, fakeMailer]], maxAttempts: 3 });
 * expect(run.status).toBe('successful');
 */
export function runJob<J extends JobClass>(job: J, properties: PropertiesOf<J>, options?: RunJobOptions): Promise<JobRun<ResultOf<J>>>;
export function runJob<J extends JobClass>(job: J, ...given: JobArguments<J, [options?: RunJobOptions]>): Promise<JobRun<ResultOf<J>>>;
export async function runJob(job: JobClass, properties: object = {}, options: RunJobOptions = {}): Promise<JobRun> {
  const here = callSite(runJob);
  if (typeof job === 'string') throw new RedriveError('JOB_UNNAMED', `runJob takes the job class itself, not its name "${String(job)}"`);
  nameOf(job);
  const resolved = resolveRunOptions(options);
  const bench = await Workbench.make(job, resolved);
  try {
    const id = await bench.redrive.dispatch(job, properties, resolved.dispatch);
    await moveTo(bench.readyAt(resolved.dispatch.delay), resolved);
    return await report(id, await work(id, bench, resolved), bench);
  } catch (error) {
    throw error instanceof AssertionError ? here(error) : error;
  } finally {
    await bench.close();
  }
}

/** Runs attempts until the job has ended, or as many as are wanted; returns the last one. */
async function work(id: string, bench: Workbench, options: ResolvedRun): Promise<JobAttempt> {
  for (let count = 1; ; count += 1) {
    await attempt(count, bench, options);
    const attempts = attemptsOf(id, bench.events.all);
    const last = attempts.at(-1);
    if (last === undefined || attempts.length < count)
      throw new AssertionError({
        message: `runJob: attempt ${count} of job "${bench.jobName}" could not be run: the job is not in its queue any more`,
      });
    if (last.retryAt === undefined || count === options.attempts) return last;
    if (count >= mostUnlimited && options.attempts === Number.POSITIVE_INFINITY && bench.isUnlimited) {
      throw new AssertionError({
        message: `runJob: job "${bench.jobName}" has no limit of attempts, and has not ended after ${count}; say how many are to be run, such as attempts: 3, or give it maxAttempts`,
      });
    }
    await moveTo(last.retryAt.getTime(), options);
  }
}

async function attempt(count: number, bench: Workbench, { patienceMs, elapseMs }: ResolvedRun): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const impatience = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const passed =
        elapseMs === 0
          ? "The virtual clock stands still: to let the timeout come, pass elapse, such as elapse: '60s'"
          : `On the virtual clock ${formatDuration(elapseMs)} passed`;
      reject(
        new AssertionError({
          message: `runJob: attempt ${count} of job "${bench.jobName}" has not ended after ${formatDuration(patienceMs)} of real time. ${passed}. If the job is merely slow, pass patience.`,
        }),
      );
    }, patienceMs);
  });
  try {
    await Promise.race([bench.work(), impatience]);
  } catch (error) {
    throw isRedriveError(error, 'JOB_UNRESOLVABLE') ? unresolvable(error) : error;
  } finally {
    clearTimeout(timer);
  }
}

function unresolvable(error: RedriveError): RedriveError {
  const message = `${error.message}\nrunJob: what is injected comes from the option services, such as services: [[Mailer, fakeMailer]]`;
  return new RedriveError('JOB_UNRESOLVABLE', message, { cause: error, faults: error.faults });
}

async function report(id: string, last: JobAttempt, bench: Workbench): Promise<JobRun> {
  const { events, logs, dispatched } = bench;
  const ran = { id, attempts: attemptsOf(id, events.all), events, logs, dispatched };
  const { exception, retryAt } = last;
  if (last.status === 'successful') return { ...ran, status: 'successful', result: last.result };
  if (retryAt !== undefined)
    return last.status === 'released' ? { ...ran, status: 'released', retryAt } : { ...ran, status: 'retrying', exception, retryAt };
  const failedJob = await bench.redrive.failedJobs.find(id);
  if (failedJob === undefined)
    throw new AssertionError({
      message: `runJob: job "${bench.jobName}" failed, but is not among the failed jobs. Did an interceptor forget it?`,
    });
  return { ...ran, status: 'failed', exception, failedJob };
}

async function moveTo(at: number, { clock }: ResolvedRun): Promise<void> {
  await clock.advance(`${Math.max(at - clock.now(), 0)}ms`);
}
