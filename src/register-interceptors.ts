import type { ServiceRef } from './config/resolved.ts';
import { checkInterceptor } from './config/service-checks.ts';
import type { InterceptorBus } from './interceptor/bus.ts';
import type { Interceptor } from './interceptor/points.ts';
import { firstLine, unresolvable } from './start-checks.ts';

/** Where the interceptors of a Redrive come from. */
export interface InterceptorSources {
  readonly config: { readonly interceptors: readonly ServiceRef<Interceptor>[] };
  readonly build: <T>(ref: ServiceRef<T>) => Promise<T>;
  /** Interceptors bound to `InterceptorToken`. */
  readonly boundInterceptors: () => Promise<readonly Interceptor[]>;
  readonly builtInInterceptors: () => Promise<readonly Interceptor[]>;
}

/** Builds and registers them all, those of Redrive itself first, or, with a fault in any, none. Throws `JOB_UNRESOLVABLE` with every fault. */
export async function registerInterceptors(sources: InterceptorSources, bus: InterceptorBus): Promise<void> {
  const { config, build, boundInterceptors, builtInInterceptors } = sources;
  const faults: string[] = [];
  const built: Interceptor[] = [...(await builtInInterceptors())];
  for (const [index, ref] of config.interceptors.entries()) {
    try {
      const interceptor = await build(ref);
      for (const { text } of checkInterceptor(interceptor)) faults.push(`interceptors[${index}]: ${text}`);
      built.push(interceptor);
    } catch (error) {
      faults.push(`interceptors[${index}]: ${firstLine(error)}`);
    }
  }
  for (const interceptor of await boundInterceptors()) {
    for (const { text } of checkInterceptor(interceptor)) faults.push(`an interceptor bound to InterceptorToken: ${text}`);
    built.push(interceptor);
  }
  if (faults.length > 0) throw unresolvable(faults);
  for (const interceptor of built) bus.register(interceptor);
}
