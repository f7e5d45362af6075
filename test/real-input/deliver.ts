/** A job that delivers webhooks to endpoints which fail, each kind of event in its own way. Loaded by the config of a project. */
import { defineJob, Unrecoverable, type Job, type JobClass } from 'redrive';

export interface Delivery {
  readonly event: string;
  readonly file: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** How the deliveries of an event end, as the failed job says. */
export interface Ending {
  readonly kind: 'exception' | 'timeout' | 'cancelled' | 'released';
  readonly type: string;
  readonly attempts: number;
}

class ServiceUnavailable extends Error {
  override readonly name = 'ServiceUnavailable';
  readonly code = 'E_UNAVAILABLE';
  readonly status = 503;
}

export const maxAttempts = 3;

/** What an endpoint does with a delivery. */
type Behaviour = (job: Job<Delivery>) => unknown;

const behaviours: Readonly<Record<string, readonly [Behaviour, Ending]>> = {
  issues: [
    () => {
      throw new Unrecoverable('410 Gone: the endpoint was removed');
    },
    { kind: 'exception', type: 'Unrecoverable', attempts: 1 },
  ],
  pull_request: [
    (job) => {
      throw new ServiceUnavailable(`503 for ${job.properties.file}, attempt ${job.attempt}`, {
        cause: new Error('connect ECONNREFUSED', { cause: new RangeError('port 0') }),
      });
    },
    { kind: 'exception', type: 'ServiceUnavailable', attempts: maxAttempts },
  ],
  push: [
    (job) => new Promise((resolve) => job.signal.addEventListener('abort', resolve)),
    { kind: 'timeout', type: 'RedriveError', attempts: maxAttempts },
  ],
  release: [
    () => {
      throw 'a text that was thrown';
    },
    { kind: 'exception', type: 'string', attempts: maxAttempts },
  ],
  check_run: [(job) => job.cancel('nobody waits for this any more'), { kind: 'cancelled', type: 'RedriveError', attempts: 1 }],
  // The whole payload in the message, several kilobytes of it.
  repository: [
    (job) => {
      throw new TypeError(`cannot map ${JSON.stringify(job.properties.payload)}`);
    },
    { kind: 'exception', type: 'TypeError', attempts: maxAttempts },
  ],
  team: [(job) => job.release(), { kind: 'released', type: 'RedriveError', attempts: maxAttempts }],
};

/** How the deliveries of an event end while the endpoints are broken; undefined: in success. */
export function endingOf(event: string): Ending | undefined {
  return behaviours[event]?.[1];
}

/** `discussion` fails only the first time. */
export function failedAttemptsOf(event: string): number {
  return event === 'discussion' ? 1 : (endingOf(event)?.attempts ?? 0);
}

export function makeDeliver(isRepaired: () => boolean): JobClass<Delivery> {
  return defineJob({
    name: 'webhooks.deliver',
    maxAttempts,
    timeout: '50ms',
    handle: async (job: Job<Delivery>) => {
      const { event } = job.properties;
      if (isRepaired()) return 'delivered';
      if (event === 'discussion' && job.attempt === 1) throw new Error('socket hang up');
      await behaviours[event]?.[0](job);
      return 'delivered';
    },
  });
}
