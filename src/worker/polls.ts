import type { PullProvider } from '../provider/pull-provider.ts';

/**
 * How long a pool waits between two looks at its queues. Where it is told of new jobs that is as long as it may. Where it is not, it looks
 * soon after it found something, and less and less often while nothing comes; with jitter, so that pools which began together do not
 * ask together for ever.
 */
export class Polls {
  /** Looks that found nothing, in a row. */
  private empty = 0;

  constructor(
    private readonly provider: Pick<PullProvider, 'pollIntervalMs' | 'firstPollMs'>,
    private readonly random: () => number = Math.random,
  ) {}

  /** Takes down what a look found. */
  saw(jobs: number): void {
    this.empty = jobs > 0 ? 0 : this.empty + 1;
  }

  /** Until the next look, in ms. */
  nextMs(): number {
    const { pollIntervalMs, firstPollMs } = this.provider;
    if (firstPollMs >= pollIntervalMs) return pollIntervalMs;
    const grown = Math.min(firstPollMs * 2 ** Math.max(this.empty - 1, 0), pollIntervalMs);
    return grown * (0.75 + this.random() / 4);
  }
}
