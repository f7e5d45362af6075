/** What a provider can do. A pool or call that needs more is refused with `CAPABILITY_MISSING`. */
export interface Capabilities {
  /** One pool may serve several queues. */
  readonly multipleQueues: boolean;
  /** Jobs may wait for a time before they are ready. */
  readonly delay: boolean;
  readonly priority: boolean;
  readonly cancel: boolean;
  /** A job's status can be asked by its id. */
  readonly status: boolean;
  /** Jobs can be dispatched inside a transaction of the user's. */
  readonly transactions: boolean;
  readonly batches: boolean;
  readonly chains: boolean;
  readonly unique: boolean;
  /** An attempt's start is on disk before user code runs, so a crash can tell started from unstarted. */
  readonly durableStart: boolean;
  /** Jobs outlive the process. */
  readonly durable: boolean;
  /** Jobs wait for a worker pool, and another one takes over when it dies. False: `dispatch` runs them before it returns. */
  readonly background: boolean;
}

export const noCapabilities: Capabilities = Object.freeze({
  multipleQueues: false,
  delay: false,
  priority: false,
  cancel: false,
  status: false,
  transactions: false,
  batches: false,
  chains: false,
  unique: false,
  durableStart: false,
  durable: false,
  background: false,
});
