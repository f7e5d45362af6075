import { inject, injectable } from 'inversify';
import { type Interceptor, type JobFailedEvent, jobPattern } from 'redrive';
import { Pager } from './pager.ts';

/** Calls somebody when a payment has failed. */
@injectable()
export class NotifyOps implements Interceptor {
  constructor(@inject(Pager) private readonly pager: Pager) {}

  @jobPattern(/^payments\./)
  async onJobFailed({ job, failure, attempts, failedJobId, redelivered }: JobFailedEvent): Promise<void> {
    // A worker that died before it had told everybody: somebody may have been called already.
    const again = redelivered ? ' (perhaps again)' : '';
    // `failure` is what was recorded, without what the config redacts.
    await this.pager.call([
      `${job.name} failed${again}: ${failure.type}: ${failure.message}`,
      `after ${attempts} attempts; look at it with: redrive failed show ${failedJobId}`,
    ]);
  }
}
