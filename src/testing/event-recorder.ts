import { AssertionError } from 'node:assert';
import { clearTimeout, setTimeout } from 'node:timers';
import { nameOf } from '../dispatch/dispatcher.ts';
import { durationMs, formatDuration, type Duration } from '../duration.ts';
import { RedriveError } from '../errors.ts';
import { didYouMean } from '../config/nearest.ts';
import { interceptionPoints, type InterceptionPoint, type InterceptorEvents } from '../interceptor/points.ts';
import type { JobClass } from '../job/define.ts';
import type { Redrive } from '../redrive.ts';
import { callSite } from './call-site.ts';

/** An event and the point it was told at. */
export type RecordedEvent = {
  readonly [P in InterceptionPoint]: { readonly point: P; readonly event: InterceptorEvents[P] };
}[InterceptionPoint];

type Predicate<P extends InterceptionPoint> = (event: InterceptorEvents[P]) => boolean;

/** Everything that a Redrive told its listeners, in order, from when the recorder was made until `stop`. */
export class EventRecorder {
  private readonly told: RecordedEvent[] = [];
  private readonly waiting = new Set<() => void>();
  private readonly ends: readonly (() => void)[];
  private stopped = false;

  constructor(redrive: Pick<Redrive, 'on'>) {
    this.ends = interceptionPoints.map((point) => redrive.on(point, (event) => this.record({ point, event } as RecordedEvent)));
  }

  /** Oldest first. */
  get all(): readonly RecordedEvent[] {
    return [...this.told];
  }

  /** The points, oldest event first. */
  get points(): readonly InterceptionPoint[] {
    return this.told.map(({ point }) => point);
  }

  /** What was told at one point, oldest first. */
  at<P extends InterceptionPoint>(point: P): readonly InterceptorEvents[P][] {
    checkPoint(point);
    return this.told
      .filter((one): one is Extract<RecordedEvent, { point: P }> => one.point === point)
      .map((one) => one.event as InterceptorEvents[P]);
  }

  /**
   * The first event of this point, and for which `predicate` holds, also one that was told before. Rejects with an
   * `AssertionError` when there is none within `timeout` (default 5 s) of real time, whatever clock the Redrive goes by.
   */
  async waitFor<P extends InterceptionPoint>(
    point: P,
    predicate: Predicate<P> = () => true,
    options: { readonly timeout?: Duration } = {},
  ): Promise<InterceptorEvents[P]> {
    // oxlint-disable-next-line typescript/unbound-method -- it is not called, only looked for in the stack
    const here = callSite(this.waitFor);
    const timeoutMs = durationMs(options.timeout ?? '5s', 'timeout');
    checkPoint(point);
    let isOver = false;
    const timer = setTimeout(() => {
      isOver = true;
      this.wake();
    }, timeoutMs);
    try {
      for (;;) {
        const found = this.at(point).find(predicate);
        if (found !== undefined) return found;
        if (isOver || this.stopped)
          throw here(this.missing(point, isOver ? `within ${formatDuration(timeoutMs)}` : 'before the recorder was stopped'));
        await this.news();
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Throws an `AssertionError` unless exactly these points were told, in this order: at all, or of one job (its id, class or name). */
  assertEvents(points: readonly InterceptionPoint[], options: { readonly job?: JobClass | string } = {}): void {
    for (const point of points) checkPoint(point);
    const told = options.job === undefined ? this.told : this.told.filter(isOf(options.job));
    const actual = told.map(({ point }) => point);
    const length = Math.max(points.length, actual.length);
    const differing = Array.from({ length }, (_, index) => index).find((index) => points[index] !== actual[index]);
    if (differing === undefined) return;
    const message = `Event ${differing + 1} is ${actual[differing] ?? 'missing'}; expected ${points[differing] ?? 'no more events'}.\n${list(told)}`;
    // oxlint-disable-next-line typescript/unbound-method -- it is not called, only looked for in the stack
    throw new AssertionError({ message, actual, expected: [...points], operator: 'assertEvents', stackStartFn: this.assertEvents });
  }

  /** Forgets what was told so far. */
  clear(): void {
    this.told.length = 0;
  }

  /** Listens no more; who still waits is told so. What was recorded stays. */
  stop(): void {
    this.stopped = true;
    for (const end of this.ends) end();
    this.wake();
  }

  private record(event: RecordedEvent): void {
    this.told.push(event);
    this.wake();
  }

  private wake(): void {
    for (const wake of this.waiting) wake();
    this.waiting.clear();
  }

  private news(): Promise<void> {
    return new Promise((resolve) => this.waiting.add(resolve));
  }

  private missing(point: InterceptionPoint, when: string): AssertionError {
    const among = this.points.includes(point) ? `no ${point} for which the function holds` : `no ${point}`;
    return new AssertionError({ message: `There was ${among} ${when}.\n${list(this.told)}`, operator: 'waitFor' });
  }
}

/**
 * Records what a Redrive tells at every interception point.
 *
 * @example
 * const events = recordEvents(redrive);
 * await redrive.dispatch(ChargeCard, { amount: 5 });
 * const { failedJobId } = await events.waitFor('onJobFailed');
 */
export function recordEvents(redrive: Pick<Redrive, 'on'>): EventRecorder {
  if (typeof (redrive as Partial<Redrive> | undefined)?.on !== 'function')
    throw new RedriveError(
      'OPTIONS_INVALID',
      'recordEvents takes a Redrive: what createRedrive, createFakeRedrive or container.get(Redrive) returns',
    );
  return new EventRecorder(redrive);
}

function checkPoint(point: string): void {
  if ((interceptionPoints as readonly string[]).includes(point)) return;
  throw new RedriveError(
    'OPTIONS_INVALID',
    `There is no interception point "${point}"${didYouMean(point, interceptionPoints)}; points: ${interceptionPoints.join(', ')}`,
  );
}

function isOf(job: JobClass | string): (event: RecordedEvent) => boolean {
  const name = nameOf(job);
  return ({ event }) => 'job' in event && (event.job.id === name || event.job.name === name);
}

function list(told: readonly RecordedEvent[]): string {
  if (told.length === 0) return 'Nothing was told.';
  return ['Told:', ...told.map((one, index) => `  ${index + 1}. ${one.point}${about(one)}`)].join('\n');
}

function about({ event }: RecordedEvent): string {
  if (!('job' in event)) return '';
  const { name, attempt } = event.job;
  const what = 'failure' in event ? `: ${event.failure.type}: ${event.failure.message}` : '';
  return ` ${name}${attempt === 0 ? '' : `, attempt ${attempt}`}${what}`;
}
