import { Container } from 'inversify';
import type { Clock } from './clock.ts';
import type { RedriveConfig } from './config/redrive-config.ts';
import { resolveConfig } from './config/resolve.ts';
import type { Logger } from './logger.ts';
import { moduleOf } from './module.ts';
import { Redrive } from './redrive.ts';
import type { StoreAccess } from './store/sql-store.ts';
import { ClockToken, LoggerToken } from './tokens.ts';

/** How the commands and the tests run a Redrive. */
export interface RedriveRuntime {
  readonly clock?: Clock;
  /** Used where the config names none. */
  readonly logger?: Logger;
  /** Default `create`. */
  readonly access?: StoreAccess;
  /** The default connection stands in for every name a record may hold, as where only a database is known. Default false. */
  readonly standsIn?: boolean;
}

/**
 * A Redrive for a program without a container of its own. Starts nothing: call `start()`.
 * Throws `CONFIG_INVALID` with every fault of the config.
 */
export async function createRedrive(config: RedriveConfig, runtime: RedriveRuntime = {}): Promise<Redrive> {
  // There is nobody to bind the services that jobs ask for: a class marked @injectable() is built when it is asked for.
  const container = new Container({ autobind: true });
  container.load(moduleOf(resolveConfig(config), { access: runtime.access ?? 'create', standsIn: runtime.standsIn ?? false }));
  if (runtime.clock !== undefined) container.bind(ClockToken).toConstantValue(runtime.clock);
  if (runtime.logger !== undefined) container.bind(LoggerToken).toConstantValue(runtime.logger);
  return container.get(Redrive);
}
