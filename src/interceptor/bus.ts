import { EventEmitter } from 'eventemitter3';
import { didYouMean } from '../config/nearest.ts';
import { RedriveError } from '../errors.ts';
import { guarded, type GuardOptions } from '../guard.ts';
import { patternFor } from './job-pattern.ts';
import { interceptionPoints, type InterceptionPoint, type Interceptor, type InterceptorEvents, type Listener } from './points.ts';

type AnyListener = (event: unknown) => unknown;

/**
 * Tells interceptors and listeners what happened, one after the other in registration order.
 * One that throws or takes too long is logged and left behind; the next is told all the same.
 */
export class InterceptorBus {
  // eventemitter3 keeps the listeners; it does not call them, since its emit would neither await nor isolate them.
  private readonly emitter = new EventEmitter<InterceptionPoint>();

  constructor(private readonly options: GuardOptions) {}

  /** Returns a function that ends the subscription. Throws `OPTIONS_INVALID` for what is no point, and for what is no listener. */
  on<P extends InterceptionPoint>(point: P, listener: Listener<P>): () => void {
    checkPoint(point);
    if (typeof listener !== 'function') throw new RedriveError('OPTIONS_INVALID', `The listener of ${point} must be a function`);
    this.emitter.on(point, listener as AnyListener);
    return () => void this.emitter.off(point, listener as AnyListener);
  }

  /** Subscribes every method named after a point; a `@jobPattern` on it restricts it to jobs of matching names. */
  register(interceptor: Interceptor): void {
    for (const point of interceptionPoints) {
      const method = interceptor[point];
      if (typeof method !== 'function') continue;
      const pattern = patternFor(interceptor, point);
      this.emitter.on(point, ((event: { job?: { name: string } }): unknown => {
        if (pattern !== undefined && event.job !== undefined && !pattern.test(event.job.name)) return undefined;
        return (method as AnyListener).call(interceptor, event);
      }) as AnyListener);
    }
  }

  /** True when somebody listens: an event nobody hears need not be built. */
  hears(point: InterceptionPoint): boolean {
    return this.emitter.listenerCount(point) > 0;
  }

  /** Resolves when everybody was told; never rejects. */
  async emit<P extends InterceptionPoint>(point: P, event: InterceptorEvents[P]): Promise<void> {
    const frozen = Object.freeze(event);
    for (const listener of this.emitter.listeners(point)) {
      await guarded(point, this.options, () => (listener as AnyListener)(frozen));
    }
  }
}

function checkPoint(point: unknown): void {
  if ((interceptionPoints as readonly unknown[]).includes(point)) return;
  const shown = String(point);
  const hint = didYouMean(shown, interceptionPoints) || `; those are ${interceptionPoints.join(', ')}`;
  throw new RedriveError('OPTIONS_INVALID', `"${shown}" is no interception point${hint}`);
}
