/** A worker process to be killed: runs jobs that do what their properties say. Started by `Child`. */
import { appendFileSync } from 'node:fs';
import { DatabaseProvider } from '../../providers/database/index.ts';
import { createRedrive, defineJob, type Interceptor, type Job } from '../../src/index.ts';
import { RecordingLogger } from '../../src/testing/recording-logger.ts';
import { givenToChild, tell } from '../support/in-child.ts';

/** What a job does. `hang`, `heed`: until its signal aborts, which `heed` answers by throwing; `wait`: for ever; `block`: keeps the whole process from doing anything else. */
export interface Act {
  readonly act: 'succeed' | 'throw' | 'hang' | 'heed' | 'die' | 'wait' | 'block';
  /** Only in its first attempt; later ones succeed. */
  readonly once?: boolean;
  /** Milliseconds it is busy before, or blocks. */
  readonly busy?: number;
}

export interface WorkerOrders {
  /** Of the connection: where its database is. */
  readonly properties: Readonly<Record<string, unknown>>;
  /** A line is appended at the start of each attempt. */
  readonly journal: string;
  readonly quantity?: number;
  /** Default one second. */
  readonly lease?: string;
  readonly prefetch?: number;
  /** Default a minute. */
  readonly shutdownTimeout?: string;
  /** Says nothing of its jobs: for many of them. */
  readonly isQuiet?: boolean;
  /** Stops at this point of announcing a failure and says so. */
  readonly stuckAt?: 'onJobException' | 'onJobFailed';
}

/** A line of the journal. */
export interface Started {
  readonly id: string;
  readonly run: number;
  readonly attempt: number;
  readonly pid: number;
}

export type Said =
  | ({ readonly said: 'started' } & Started)
  | { readonly said: 'complete'; readonly id: string }
  | { readonly said: 'stuck'; readonly id: string }
  | {
      readonly said: 'failed';
      readonly id: string;
      readonly eventId: string;
      readonly redelivered: boolean;
      readonly failedJobId: number | undefined;
      readonly kind: string;
    }
  | { readonly said: 'ready' | 'stopping' | 'stopped' | 'lease lost' };

const orders = givenToChild<WorkerOrders>();
const say = (said: Said): void => tell(said);

const act = defineJob({
  name: 'act',
  handle: async (job: Job<Act>) => {
    const { id, run, attempt, properties } = job;
    const started = { id, run, attempt, pid: process.pid };
    appendFileSync(orders.journal, `${JSON.stringify(started)}\n`);
    if (orders.isQuiet !== true) say({ said: 'started', ...started });
    const isOver = properties.once === true && attempt > 1;
    if (properties.act === 'block') return isOver ? 'at last' : block(properties.busy ?? 0);
    if (properties.busy !== undefined) await new Promise((resolve) => setTimeout(resolve, properties.busy));
    if (isOver) return 'at last';
    return behave(properties.act, job.signal);
  },
});

function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function behave(how: Exclude<Act['act'], 'block'>, signal: AbortSignal): unknown {
  switch (how) {
    case 'succeed':
      return 'done';
    case 'throw':
      throw new TypeError('thrown on purpose');
    case 'die':
      process.kill(process.pid, 'SIGKILL');
      // Nothing after this line is to run, not even the settlement.
      return block(Number.POSITIVE_INFINITY);
    case 'heed':
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('told to stop'))));
    case 'hang':
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve('too late')));
    case 'wait':
      return new Promise(() => {});
  }
}

const stuck: Interceptor | undefined = orders.stuckAt && {
  [orders.stuckAt]: ({ job }: { job: { id: string } }) => {
    say({ said: 'stuck', id: job.id });
    return new Promise(() => {});
  },
};

/** Prints nothing, but says when a lease was lost. */
class TellingLogger extends RecordingLogger {
  override error(fields: Record<string, unknown>): void {
    if (fields['code'] === 'LEASE_LOST') say({ said: 'lease lost' });
  }
  override child(): this {
    return this;
  }
}
const logger = new TellingLogger();

const redrive = await createRedrive(
  {
    connections: {
      main: {
        provider: DatabaseProvider,
        properties: {
          ...orders.properties,
          lease: orders.lease ?? '1s',
          pollInterval: '50ms',
          prefetch: orders.prefetch ?? 0,
        },
      },
    },
    workerPools: {
      pool: { connection: 'main', quantity: orders.quantity ?? 1, timeout: 0, shutdownTimeout: orders.shutdownTimeout ?? '1m' },
    },
    jobs: [act],
    logFailedJobs: true,
    logAttempts: false,
    interceptors: stuck === undefined ? [] : [stuck],
    interceptorTimeout: 0,
  },
  { logger },
);
if (orders.isQuiet !== true) redrive.on('onJobComplete', ({ job }) => say({ said: 'complete', id: job.id }));
redrive.on('onJobFailed', ({ job, eventId, redelivered, failedJobId, kind }) =>
  say({ said: 'failed', id: job.id, eventId, redelivered, failedJobId, kind }),
);
await redrive.start();
process.once('SIGTERM', () => {
  say({ said: 'stopping' });
  void redrive.stop().then(() => {
    say({ said: 'stopped' });
    process.disconnect();
  });
});
// The thread is there within a blink of an eye, but a machine that runs many tests may take longer than a lease.
while (Object.values((await redrive.health()).pools).some(({ heartbeat }) => !heartbeat))
  await new Promise((resolve) => setTimeout(resolve, 10));
// The pools' timers keep no process alive; the channel to the test does, until the stop.
say({ said: 'ready' });
