import { createRedrive, defineJob, type Job, type JobClass, type JobOptions, type Redrive, type RedriveConfig } from 'redrive';
import { z } from 'zod';
import { RecordingLogger } from '../../../src/testing/recording-logger.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { config, started, type Mistake, type Read } from './mistake.ts';

/** The exception of the failed job that a run ends with. */
const failing =
  (job: JobClass, properties: object = {}): Mistake =>
  () =>
    started(config({ jobs: [job] }), async (redrive) => failureAfter(redrive, () => redrive.dispatch(job, properties)));

async function failureAfter(redrive: Redrive, dispatch: () => Promise<string>): Promise<Read> {
  const failed = (await redrive.failedJobs.find(await ended(redrive, dispatch)))!;
  return { code: String(failed.exception.code), text: failed.message };
}

async function ended(redrive: Redrive, dispatch: () => Promise<string>): Promise<string> {
  const id = await dispatch();
  await redrive.idle();
  return id;
}

const define = (handle: (job: Job) => unknown, options: JobOptions = {}): JobClass => defineJob({ name: 'some.job', handle, ...options });
const throws = define(() => {
  throw new Error('no luck');
});

/** The line of the log that speaks of it. */
const logged =
  (says: string, changes: Partial<RedriveConfig>): Mistake =>
  async () => {
    const logger = new RecordingLogger();
    await started(config({ jobs: [throws], ...changes, logger }), async (redrive) => ended(redrive, () => redrive.dispatch('some.job')));
    return lineOf(logger, says);
  };

function lineOf(logger: RecordingLogger, says: string): Read {
  const line = logger.lines.find(({ message }) => message.includes(says));
  if (line === undefined) throw new Error(`nothing in the log speaks of it:\n${logger.lines.map(({ message }) => message).join('\n')}`);
  const reason = line.fields['err'] instanceof Error ? `: ${line.fields['err'].message}` : '';
  return { code: line.level, text: line.message + reason };
}

/** Mistakes that show when a job runs: in its failed job, or in the log. */
export const runningMistakes: Readonly<Record<string, Mistake>> = {
  'nobody-registered': () => started(config(), async (redrive) => failureAfter(redrive, () => redrive.dispatch('emails.welcme'))),
  'too-slow': failing(
    define((job) => new Promise<void>((resolve) => job.signal.addEventListener('abort', () => resolve())), { timeout: '10ms' }),
  ),
  'released-too-often': failing(define((job) => job.release())),
  'release-nonsense': failing(define((job) => job.release('soon'))),
  'cancelled-itself': failing(define((job) => job.cancel('the order is gone'))),
  'schema-changed': async () => {
    const before = defineJob({ name: 'some.job', handle: () => 1 });
    const after = define(() => 1, { schema: z.object({ card: z.string() }) });
    // Dispatched by a process that does not know the job, run by one that does.
    return started(config({ jobs: [after] }), (redrive) => failureAfter(redrive, () => redrive.dispatch(before)));
  },
  'backoff-throws': logged('backoff function', {
    jobs: [
      define(() => Promise.reject(new Error('x')), {
        maxAttempts: 2,
        backoff: () => {
          throw new Error('no delay today');
        },
      }),
    ],
  }),
  'backoff-answers-nonsense': logged('backoff function', {
    jobs: [define(() => Promise.reject(new Error('x')), { maxAttempts: 2, backoff: () => '5 parsecs' })],
  }),
  'interceptor-throws': logged('onJobFailed', {
    interceptors: [
      {
        onJobFailed() {
          throw new Error('the pager is off');
        },
      },
    ],
  }),
  'interceptor-hangs': async () => {
    const logger = new RecordingLogger();
    const clock = new VirtualClock();
    const hanging = { onJobFailed: () => new Promise(() => undefined) };
    const redrive = await createRedrive(config({ jobs: [throws], interceptors: [hanging], logger }), { clock });
    await redrive.start();
    await redrive.dispatch(throws);
    await clock.advance('31s');
    await redrive.stop({ timeout: 0 });
    return lineOf(logger, 'onJobFailed');
  },
  'failed-jobs-log-off': logged('failed-jobs log', { logFailedJobs: false }),
};
