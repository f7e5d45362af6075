import { checkProvider } from './config/service-checks.ts';
import { formatDuration } from './duration.ts';
import { isRedriveError, RedriveError } from './errors.ts';
import type { Clock } from './clock.ts';
import type { ResolvedConfig, ResolvedConnection, ResolvedFailedJobs, ServiceRef } from './config/resolved.ts';
import { DatabaseSchemas, placeOf, type MigrationProgress, type Place } from './database-schemas.ts';
import type { JobRegistry } from './job/registry.ts';
import type { Logger } from './logger.ts';
import type { ProviderContext, QueueProvider } from './provider/queue-provider.ts';
import type { FailureLog } from './record/failure-log.ts';
import { firstLine, unresolvable } from './start-checks.ts';
import type { MigrationStep, SqlStore, StoreAccess, StoreSource } from './store/sql-store.ts';

/** What only the composition root may import: the implementations that need a database. */
export interface Backends {
  stores(): Promise<StoreSource & { close(): Promise<void> }>;
  /** The failed-jobs log on an open store; where `autoMigrate` says so and `access` allows it, its tables are made or upgraded first. */
  failureLog(store: SqlStore, options: LogOptions): Promise<FailureLog>;
  failureLogMigrations(tableName: string): Promise<readonly MigrationStep[]>;
  /** What the log does to rows that were there before its tables were upgraded. */
  afterMigration(store: SqlStore, tableName: string, onProgress?: MigrationProgress): Promise<void>;
  /** The failed-jobs log in memory: that of the first provider whose jobs are in memory, else one of its own. */
  memoryFailureLog(providers: readonly QueueProvider[]): Promise<FailureLog>;
}

export interface LogOptions {
  readonly tableName: string;
  /** How long a query may take; undefined: no limit of its own. */
  readonly timeoutMs: number | undefined;
  readonly access: StoreAccess;
  /** Undefined: as is usual for that kind of database. */
  readonly autoMigrate: boolean | undefined;
}

export interface ConnectionsContext {
  readonly config: ResolvedConfig;
  readonly registry: JobRegistry;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly access: StoreAccess;
  readonly backends: Backends;
  /** The default connection stands in for every name a record may hold: the config was made up from a database alone. */
  readonly standsIn: boolean;
  readonly build: <T>(ref: ServiceRef<T>) => Promise<T>;
  /** Runs jobs of a queue in the caller's own time; resolves with what the failed ones threw. */
  readonly workHere: (
    provider: QueueProvider,
    queue: string,
    by: { readonly connection: string; readonly jobIds: readonly string[] },
  ) => Promise<readonly unknown[]>;
}

/** The providers of all connections, built and opened when first needed, and the failed-jobs log they share. */
export class Connections {
  private readonly built = new Map<string, Promise<QueueProvider>>();
  private stores: ReturnType<Backends['stores']> | undefined;
  private opening: Promise<FailureLog | undefined> | undefined;
  readonly schemas: DatabaseSchemas;

  constructor(private readonly context: ConnectionsContext) {
    const { config, backends, logger } = context;
    this.schemas = new DatabaseSchemas({
      config,
      backends,
      logger,
      build: (name) => this.build(name),
      openStore: (place) => this.openStore(place),
      logPlace: async () => (config.failedJobs === undefined ? undefined : this.logPlace(config.failedJobs)),
    });
  }

  /** The provider of a connection, open. Throws `CONNECTION_UNKNOWN`. */
  async open(name: string): Promise<QueueProvider> {
    await this.prepare([name]);
    return this.connect(name);
  }

  /** The provider that keeps the jobs of a connection named in a record; undefined where this config has none. */
  async find(name: string): Promise<QueueProvider | undefined> {
    const { config, standsIn } = this.context;
    if (config.connections.has(name)) return this.open(name);
    return standsIn && config.defaultConnection !== undefined ? this.open(config.defaultConnection) : undefined;
  }

  /** Every provider by its connection's name, open. */
  async openAll(): Promise<ReadonlyMap<string, QueueProvider>> {
    const names = [...this.context.config.connections.keys()];
    await this.prepare(names);
    const opened = names.map(async (name) => [name, await this.connect(name)] as const);
    return new Map(await Promise.all(opened));
  }

  private async connect(name: string): Promise<QueueProvider> {
    const provider = await this.build(name);
    await provider.connect();
    return provider;
  }

  private async prepare(names: readonly string[]): Promise<void> {
    if (this.context.access === 'create') await this.schemas.prepare(names);
  }

  /** The provider of a connection, not yet open. */
  async build(name: string): Promise<QueueProvider> {
    const connection = this.context.config.connections.get(name);
    if (connection === undefined) throw new RedriveError('CONNECTION_UNKNOWN', `There is no connection "${name}"`);
    const known = this.built.get(name);
    if (known !== undefined) return known;
    const building = this.make(connection);
    this.built.set(name, building);
    building.catch(() => this.built.delete(name));
    return building;
  }

  /** The failed-jobs log, open; undefined while it is off. */
  failureLog(): Promise<FailureLog | undefined> {
    const opening = (this.opening ??= this.openLog());
    // A store that could not be opened may be there at the next call.
    opening.catch(() => {
      if (this.opening === opening) this.opening = undefined;
    });
    return opening;
  }

  /**
   * Closes every connection, then the databases. One that takes longer than `defaultConnectionShutdownTimeout` is logged and left behind,
   * and one that fails keeps no other open; what the first of them threw is thrown at the end.
   */
  async close(): Promise<void> {
    const closing = [...this.built].map(async ([name, building]) => {
      const provider = await building.catch(() => undefined);
      await this.closeInTime(`connection "${name}"`, async () => provider?.close());
    });
    const closed = await Promise.allSettled(closing);
    const stores = await this.stores;
    this.stores = undefined;
    this.opening = undefined;
    await this.closeInTime('the databases', async () => stores?.close());
    const failed = closed.find((one) => one.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  private async closeInTime(what: string, close: () => Promise<void>): Promise<void> {
    const { config, clock, logger } = this.context;
    const { connectionShutdownTimeoutMs: patienceMs } = config;
    let isLate = false;
    const closing = close();
    const late = new Promise<void>((resolve) => {
      const timer = patienceMs > 0 ? clock.after(patienceMs, () => ((isLate = true), resolve())) : undefined;
      closing.catch(() => undefined).finally(() => timer?.cancel());
    });
    await Promise.race([closing, late]);
    if (isLate)
      logger.error({ timeoutMs: patienceMs }, `Closing ${what} took longer than ${formatDuration(patienceMs)} and was left behind`);
  }

  private async make(connection: ResolvedConnection): Promise<QueueProvider> {
    const { registry, clock, logger, access, workHere } = this.context;
    const { name, properties } = connection;
    const provider = await this.construct(connection);
    const stores: StoreSource = { open: async (...wanted) => (await this.openStores()).open(...wanted) };
    const context: ProviderContext = {
      name,
      properties,
      clock,
      logger: logger.child({ connection: name }),
      registry,
      access,
      stores,
      failureLog: () => this.failureLog(),
      workHere: (queue, jobIds) => workHere(provider, queue, { connection: name, jobIds }),
    };
    // A subclass may have made it async.
    await this.guarded(`connections.${name}: the init of its provider failed`, () => provider.init(context) as unknown);
    return provider;
  }

  /** Throws `JOB_UNRESOLVABLE` for what the container cannot build, and for what it gives that is no provider. */
  private async construct({ name, provider: ref }: ResolvedConnection): Promise<QueueProvider> {
    const provider = await this.guarded(`connections.${name}`, () => this.context.build(ref));
    const findings = checkProvider(provider);
    if (findings.length > 0) throw unresolvable(findings.map(({ text }) => `connections.${name}: its provider ${text}`));
    return provider;
  }

  /** What fails without a code of ours gets one. */
  private async guarded<T>(what: string, run: () => T | Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      throw isRedriveError(error) ? error : unresolvable([`${what}: ${firstLine(error)}`], error);
    }
  }

  private async openLog(): Promise<FailureLog | undefined> {
    const { config, backends, access } = this.context;
    const { failedJobs } = config;
    if (failedJobs === undefined) return undefined;
    const place = await this.logPlace(failedJobs);
    if (place === undefined) return this.openMemoryLog();
    const { tableName, timeoutMs } = failedJobs;
    return backends.failureLog(await this.openStore(place), { tableName, timeoutMs, access, autoMigrate: place.autoMigrate });
  }

  private async openStore({ address, names }: Place): Promise<SqlStore> {
    return (await this.openStores()).open(address, this.context.access, names);
  }

  /** The database of the log: what `datasource` names, else that of the first connection that has one; undefined: it is in memory. */
  private async logPlace({ datasource, store, schema }: ResolvedFailedJobs): Promise<Place | undefined> {
    if (datasource !== undefined && typeof datasource !== 'string')
      return { address: datasource, names: schema === undefined ? {} : { schema }, autoMigrate: undefined };
    if (datasource === undefined && store === 'memory') return undefined;
    for (const name of datasource === undefined ? this.context.config.connections.keys() : [datasource]) {
      const place = placeOf(await this.build(name));
      // Where the connection says nothing of a schema, the log may have one of its own.
      if (place !== undefined)
        return schema === undefined ? place : { ...place, names: { ...place.names, schema: place.names.schema ?? schema } };
    }
    if (datasource === undefined && store === 'auto') return undefined;
    const which = datasource === undefined ? 'No connection has a' : `Connection "${datasource}" has no`;
    throw new RedriveError(
      'CONFIG_INVALID',
      `${which} database to keep failed jobs in; give logFailedJobsProperties.datasource a Knex config, or a connection whose provider is a database`,
    );
  }

  private async openMemoryLog(): Promise<FailureLog> {
    const { config, backends, logger } = this.context;
    const providers: QueueProvider[] = [];
    for (const name of config.connections.keys()) providers.push(await this.build(name));
    // Where the jobs go with the process as well, nobody expects their failures to stay.
    if (providers.some(({ capabilities }) => capabilities.durable)) {
      logger.warn(
        {},
        "Failed jobs are kept in this process's memory and go with it; give logFailedJobsProperties.datasource a database to keep them",
      );
    }
    return backends.memoryFailureLog(providers);
  }

  private openStores(): ReturnType<Backends['stores']> {
    return (this.stores ??= this.context.backends.stores());
  }
}
