import type { ListOptions, Redrive, RetryOptions } from 'redrive';
import { createRedrive } from 'redrive';
import { config, refusedCall, started, thrown, type Mistake } from './mistake.ts';

const filtered = (filter: object): Mistake => refusedCall((redrive) => redrive.failedJobs.list(filter));
const listed = (options: ListOptions): Mistake => refusedCall((redrive) => redrive.failedJobs.list({}, options));

/** The outcome for one id. */
const outcomeOf =
  (retry: (redrive: Redrive) => ReturnType<Redrive['failedJobs']['retry']>): Mistake =>
  () =>
    started(config({ workerPools: {} }), async (redrive) => {
      const [outcome] = (await retry(redrive)).outcomes;
      return { code: String(outcome?.status), text: outcome?.detail ?? '' };
    });

/** Mistakes with failed jobs, and with a Redrive that is not running. */
export const failedJobMistakes: Readonly<Record<string, Mistake>> = {
  'failed-jobs-off': refusedCall((redrive) => redrive.failedJobs.list(), { logFailedJobs: false }),
  'unknown-filter': filtered({ jobs: 'emails.welcome' }),
  'bad-filter': filtered({ since: 'yesterday' }),
  'bad-kind': filtered({ kind: 'crash' }),
  'large-limit': listed({ limit: 1_000 }),
  'bad-order': listed({ order: 'newst' as 'newest' }),
  'unknown-list-option': listed({ limt: 5 } as ListOptions),
  'list-options-null': listed(null as never),
  'no-cursor': listed({ cursor: 'page 2' }),
  'cursor-of-another-list': listed({ cursor: '5-5.abcdefgh' }),
  'unknown-retry-option': refusedCall((redrive) => redrive.failedJobs.retry([1], { dryrun: true } as RetryOptions)),
  'retry-nothing': refusedCall((redrive) => redrive.failedJobs.retry(undefined as never)),
  'bad-retry-flag': refusedCall((redrive) => redrive.failedJobs.retry([1], { atFront: 'yes' as never })),
  'bad-retry-delay': refusedCall((redrive) => redrive.failedJobs.retry([1], { delay: 'later' })),
  'mark-nothing': refusedCall((redrive) => redrive.failedJobs.markFailed([])),
  'retry-unknown': outcomeOf((redrive) => redrive.failedJobs.retry(['no-such-id'])),
  'retry-queued': outcomeOf(async (redrive) => redrive.failedJobs.retry([await redrive.dispatch('some.job')])),
  'status-of-nothing': refusedCall((redrive) => redrive.status(undefined as never)),
  'unknown-start-option': refusedCall((redrive) => redrive.start({ pool: ['mail'] } as never)),
  'pause-every-queue': refusedCall((redrive) => redrive.pause('*')),
  'bad-idle-timeout': refusedCall((redrive) => redrive.idle({ timeout: 'long' })),
  stopped: () =>
    thrown(async () => {
      const redrive = await createRedrive(config());
      await redrive.stop();
      await redrive.dispatch('some.job');
    }),
};
