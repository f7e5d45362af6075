import type { ServiceIdentifier } from 'inversify';
import type { Clock } from './clock.ts';
import type { Interceptor } from './interceptor/points.ts';
import type { Logger } from './logger.ts';

/** Bind interceptors to it in any module of your container. */
export const InterceptorToken: ServiceIdentifier<Interceptor> = Symbol.for('redrive/Interceptor');
/** Bind your own logger to it; `logger` in the config wins. */
export const LoggerToken: ServiceIdentifier<Logger> = Symbol.for('redrive/Logger');
/** Bind another clock to it, as tests do. Default: the system's. */
export const ClockToken: ServiceIdentifier<Clock> = Symbol.for('redrive/Clock');
