import { describe, expectTypeOf, it } from 'vitest';
import {
  jobPattern,
  type FailureKind,
  type InterceptionPoint,
  type Interceptor,
  type InterceptorEvents,
  type JobCompleteEvent,
  type JobFailedEvent,
  type Json,
  type Redrive,
} from 'redrive';

// Checked by the compiler (npm run typecheck); nothing in here is run.

function using(_use: (redrive: Redrive) => unknown): void {}

describe('redrive.on', () => {
  it('types the event by its point', () => {
    using((redrive) => {
      const end = redrive.on('onJobFailed', (event) => {
        expectTypeOf(event).toEqualTypeOf<JobFailedEvent>();
        expectTypeOf(event.failedJobId).toEqualTypeOf<number | undefined>();
        expectTypeOf(event.kind).toEqualTypeOf<FailureKind>();
        expectTypeOf(event.exception).toEqualTypeOf<unknown>();
        expectTypeOf(event.job.properties).toEqualTypeOf<Json>();
      });
      expectTypeOf(end).toEqualTypeOf<() => void>();
      redrive.on('onJobException', ({ willRetry, retryAt }) => {
        expectTypeOf(willRetry).toEqualTypeOf<boolean>();
        expectTypeOf(retryAt).toEqualTypeOf<Date | null>();
      });
      redrive.on('onJobComplete', async ({ result, duration }) => [result, duration.toFixed(0)]);
    });
  });

  it('refuses a point that there is not, a field that its event has not, and a change of the event', () => {
    using((redrive) => {
      // @ts-expect-error -- onJobFailed is meant
      redrive.on('onJobFaild', () => undefined);
      // @ts-expect-error -- what was added has not failed
      redrive.on('onJobAdded', (event) => event.failedJobId);
      redrive.on('onJobFailed', (event) => {
        // @ts-expect-error -- read-only
        event.kind = 'lost';
      });
    });
  });

  it('has an event for every point', () => {
    expectTypeOf<keyof InterceptorEvents>().toEqualTypeOf<InterceptionPoint>();
    expectTypeOf<keyof Interceptor>().toEqualTypeOf<InterceptionPoint>();
  });
});

describe('an interceptor', () => {
  it('types its methods by their names', () => {
    class NotifyOps implements Interceptor {
      @jobPattern(/^payments\./)
      async onJobFailed({ failedJobId, job }: JobFailedEvent): Promise<string> {
        return `${job.name} ${failedJobId ?? '?'}`;
      }
      onJobComplete({ result }: JobCompleteEvent): unknown {
        return result;
      }
    }
    expectTypeOf<NotifyOps>().toExtend<Interceptor>();
    const inline: Interceptor = { onJobReleased: ({ availableAt, reason }) => [availableAt.getTime(), reason.length] };
    expectTypeOf(inline).toEqualTypeOf<Interceptor>();
  });

  it('is refused where a method takes what its point does not tell', () => {
    // @ts-expect-error -- what is complete has no failedJobId
    const wrong: Interceptor = { onJobComplete: ({ failedJobId }: JobFailedEvent) => failedJobId };
    // @ts-expect-error -- onJobFailed is meant
    const mistyped: Interceptor = { onJobFaild: () => undefined };
    void [wrong, mistyped];
    class Wrong implements Interceptor {
      // @ts-expect-error -- the event of another point
      onJobAdded({ failedJobId }: JobFailedEvent): unknown {
        return failedJobId;
      }
    }
    void Wrong;
  });
});
