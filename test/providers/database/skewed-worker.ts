/** A worker whose host's clock is wrong. Started by `Child`. */
import { DatabaseProvider } from '../../../providers/database/index.ts';
import { createRedrive, defineJob } from '../../../src/index.ts';
import { givenToChild, tell } from '../../support/in-child.ts';

export interface SkewedOrders {
  readonly skewMs: number;
  readonly properties: Readonly<Record<string, unknown>>;
}

export type SkewedSaid = { readonly said: 'working' } | { readonly said: 'ran'; readonly job: string; readonly attempt: number };

const { skewMs, properties } = givenToChild<SkewedOrders>();
const right = Date.now.bind(Date);
Date.now = () => right() + skewMs;

const ran = (job: string, attempt: number): void => tell({ said: 'ran', job, attempt } satisfies SkewedSaid);
const quick = defineJob({ name: 'quick', handle: ({ attempt }) => ran('quick', attempt) });
const twice = defineJob({
  name: 'twice',
  maxAttempts: 2,
  backoff: '1s',
  handle: ({ attempt }) => {
    ran('twice', attempt);
    if (attempt === 1) throw new TypeError('the first time');
  },
});
/** Ends only with its process. */
const endless = defineJob({
  name: 'endless',
  maxAttempts: 2,
  timeout: 0,
  handle: ({ attempt }) => {
    ran('endless', attempt);
    return attempt === 1 ? new Promise<void>(() => undefined) : undefined;
  },
});

const redrive = await createRedrive({
  connections: { main: { provider: DatabaseProvider, properties } },
  workerPools: { pool: { connection: 'main', quantity: 3 } },
  jobs: [quick, twice, endless],
  logFailedJobs: true,
  logAttempts: false,
});
await redrive.start();
tell({ said: 'working' } satisfies SkewedSaid);
