import type { Backends } from './connections.ts';
import type { ResolvedConfig } from './config/resolved.ts';
import type { Logger } from './logger.ts';
import type { QueueProvider } from './provider/queue-provider.ts';
import type { TableNames } from './store/sql-dialect.ts';
import type { MigrationState, MigrationStep, SqlStore, StepsPlan, StoreAddress } from './store/sql-store.ts';

/** Told how far migrating is: which step runs, then how many of the old rows are done. */
export type MigrationProgress = (standing: { readonly what: string; readonly done: number; readonly total: number }) => void;

/** What migrating, or rolling back, would do to one database. */
export interface DatabasePlan extends StepsPlan {
  /** Its file, or where it is, without passwords. */
  readonly database: string;
}

/** A database of the config, and what was said about it. */
export interface Place {
  readonly address: StoreAddress;
  readonly names: Partial<TableNames>;
  readonly autoMigrate: boolean | undefined;
}

interface Schema {
  readonly store: SqlStore;
  readonly steps: readonly MigrationStep[];
  /** The failed-jobs table, where it is in this database. */
  readonly logTable?: string;
}

export interface DatabaseSchemasContext {
  readonly config: ResolvedConfig;
  readonly backends: Backends;
  readonly logger: Logger;
  /** The provider of a connection, which need not be open. */
  readonly build: (name: string) => Promise<QueueProvider>;
  readonly openStore: (place: Place) => Promise<SqlStore>;
  /** The database of the failed-jobs log; undefined where it is off, or in memory. */
  readonly logPlace: () => Promise<Place | undefined>;
}

/** The databases of a config, and what is to be made in them. */
export class DatabaseSchemas {
  /** Connections whose tables are there. */
  private readonly prepared = new Set<string>();

  constructor(private readonly context: DatabaseSchemasContext) {}

  /**
   * Makes the tables of these connections and of the failed-jobs log where `autoMigrate` says so. Those of one database are made all
   * or none; of several databases all are planned first: a table that is refused leaves the others unmade as well.
   */
  async prepare(names: readonly string[]): Promise<void> {
    const unknown = names.filter((name) => !this.prepared.has(name));
    if (unknown.length === 0 || !(await this.haveDatabase(unknown))) return;
    const schemas: Schema[] = [];
    for (const schema of await this.schemas(unknown, isMadeAtStart))
      if ((await schema.store.pending(schema.steps)).length > 0) schemas.push(schema);
    if (schemas.length > 1) for (const { store, steps } of schemas) await store.planMigration(steps);
    for (const { store, steps } of schemas) await store.migrate(steps);
    for (const name of unknown) this.prepared.add(name);
  }

  /** Creates or upgrades the tables of every connection and of the log, all of a database or none; returns the steps that ran. */
  async migrate(onProgress: MigrationProgress = () => undefined): Promise<readonly string[]> {
    const { config, backends } = this.context;
    const tell: MigrationProgress = (standing) => this.tell(onProgress, standing);
    const applied: string[] = [];
    for (const { store, steps, logTable } of await this.schemas()) {
      applied.push(...(await store.migrate(told(steps, tell))).applied);
      if (logTable !== undefined) await backends.afterMigration(store, logTable, tell);
    }
    for (const name of config.connections.keys()) applied.push(...(await (await this.context.build(name)).migrate()));
    return applied;
  }

  private tell(onProgress: MigrationProgress, standing: Parameters<MigrationProgress>[0]): void {
    try {
      onProgress(standing);
    } catch (error) {
      this.context.logger.warn({ err: error }, 'onProgress failed; the migration is not affected');
    }
  }

  /** Undoes every step of every database, all of a database or none; returns their names, the last one first. */
  async rollback(): Promise<readonly string[]> {
    const undone: string[] = [];
    for (const { store, steps } of (await this.schemas()).toReversed()) undone.push(...(await store.rollback(steps)));
    return undone;
  }

  async migrations(): Promise<MigrationState> {
    const state = { applied: [] as string[], pending: [] as string[] };
    for (const { store, steps } of await this.schemas()) {
      const pending = await store.pending(steps);
      state.pending.push(...pending);
      state.applied.push(...steps.map(({ name }) => name).filter((name) => !pending.includes(name)));
    }
    return state;
  }

  /** What `migrate`, or with `rollback` that, would do to each database. */
  async plan(options: { readonly rollback: boolean }): Promise<readonly DatabasePlan[]> {
    const schemas = await this.schemas();
    const plans: DatabasePlan[] = [];
    for (const { store, steps } of options.rollback ? schemas.toReversed() : schemas) {
      const plan = await (options.rollback ? store.planRollback(steps) : store.planMigration(steps));
      plans.push({ database: store.location, ...plan });
    }
    return plans;
  }

  private async haveDatabase(names: readonly string[]): Promise<boolean> {
    const providers = await Promise.all(names.map((name) => this.context.build(name)));
    return providers.some((provider) => placeOf(provider) !== undefined);
  }

  /** Each database of the config, or of some connections and the log, with the steps of all that lives in it. */
  private async schemas(
    names: Iterable<string> = this.context.config.connections.keys(),
    counts: (place: Place, store: SqlStore) => boolean = () => true,
  ): Promise<readonly Schema[]> {
    const { config, backends } = this.context;
    const schemas = new Map<SqlStore, Schema>();
    const add = async (place: Place, steps: readonly MigrationStep[], logTable?: string): Promise<void> => {
      const store = await this.context.openStore(place);
      if (!counts(place, store)) return;
      const known = schemas.get(store)?.steps ?? [];
      const fresh = steps.filter(({ name }) => !known.some((step) => step.name === name));
      schemas.set(store, { store, steps: [...known, ...fresh], ...(logTable === undefined ? {} : { logTable }) });
    };
    for (const name of names) {
      const provider = await this.context.build(name);
      const place = placeOf(provider);
      if (place !== undefined) await add(place, provider.migrations);
    }
    const { failedJobs } = config;
    const place = await this.context.logPlace();
    if (failedJobs !== undefined && place !== undefined)
      await add(place, await backends.failureLogMigrations(failedJobs.tableName), failedJobs.tableName);
    return [...schemas.values()];
  }
}

/** Where a provider keeps its jobs; undefined where that is no database. */
export function placeOf({ storeAddress: address, tableNames: names, autoMigrate }: QueueProvider): Place | undefined {
  return address === undefined ? undefined : { address, names, autoMigrate };
}

function isMadeAtStart({ autoMigrate }: Place, { dialect }: SqlStore): boolean {
  return autoMigrate ?? dialect === 'sqlite';
}

/** The same steps, each of which says so when it runs. */
function told(steps: readonly MigrationStep[], onProgress: MigrationProgress): readonly MigrationStep[] {
  return steps.map((step, done) => ({
    name: step.name,
    async up(migration) {
      onProgress({ what: step.name, done, total: steps.length });
      await step.up(migration);
    },
    down: (migration) => step.down(migration),
  }));
}
