import { z } from 'zod';
import { didYouMean } from '../../src/config/nearest.ts';
import { tryDurationMs } from '../../src/duration.ts';
import { RedriveError } from '../../src/errors.ts';
import type { TableNames } from '../../src/store/sql-dialect.ts';
import type { StoreAddress } from '../../src/store/sql-store.ts';
import type { Knex } from 'knex';
import { jobsRefused } from './dialects/mssql/dialect.ts';

/** Shortest lease: less would be lost to an ordinary pause of the event loop. */
const shortestLeaseMs = 1_000;

const duration = z.union([z.number(), z.string()]).transform((value, context) => {
  const ms = tryDurationMs(value);
  if (ms === undefined)
    context.addIssue({ code: 'custom', message: 'is no duration; give seconds as a number, or a string such as "30s"' });
  return ms ?? 0;
});

const schema = z.object({
  knex: z.custom<Knex>((value) => typeof value === 'function' && 'client' in value, 'must be a Knex instance').optional(),
  tableName: z.string().min(1).max(255).default('redrive_jobs'),
  schema: z.string().min(1).max(255).optional(),
  prefix: z.string().min(1).max(255).default('redrive_'),
  lease: duration.default(30_000).refine((ms) => ms >= shortestLeaseMs, 'must be at least 1 second'),
  pollInterval: duration.default(1_000).refine((ms) => ms >= 10, 'must be at least 10ms'),
  prefetch: z.int().min(0).max(10_000).default(0),
  keepCompleted: duration.default(600_000),
  autoMigrate: z.boolean().optional(),
  synchronous: z.enum(['NORMAL', 'FULL']).default('NORMAL'),
});

export interface DatabaseProperties {
  /** The Knex config, or the instance. */
  readonly address: StoreAddress;
  /** Where in the database the tables are, and what their names begin with. */
  readonly names: TableNames;
  readonly tableName: string;
  readonly leaseMs: number;
  readonly pollIntervalMs: number;
  readonly prefetch: number;
  /** 0: removed at once. */
  readonly keepCompletedMs: number;
  /** Undefined: true on SQLite, false on a server. */
  readonly autoMigrate: boolean | undefined;
}

/** Reads a connection's `properties`; what is not ours is Knex's. Throws `CONFIG_INVALID` with all faults. */
export function readProperties(connection: string, properties: Readonly<Record<string, unknown>>): DatabaseProperties {
  const parsed = schema.safeParse(properties);
  const faults = parsed.success
    ? []
    : parsed.error.issues.map((issue) => `connections.${connection}.properties.${issue.path.join('.')}: ${issue.message}`);
  if (parsed.success && parsed.data.knex === undefined && properties['client'] === undefined) {
    faults.push(
      `connections.${connection}.properties.client: is missing; give a Knex config such as { client: 'better-sqlite3', connection: { filename: 'app.db' } }, or knex: an instance`,
    );
  }
  faults.push(...misspelt(properties).map((fault) => `connections.${connection}.properties.${fault}`));
  if (!parsed.success || faults.length > 0)
    throw new RedriveError('CONFIG_INVALID', `The config has ${faults.length} fault(s):\n  ${faults.join('\n  ')}`, { faults });
  const { knex, tableName, schema: inSchema, prefix, lease, pollInterval, prefetch, keepCompleted, autoMigrate, synchronous } = parsed.data;
  const { client = (knex?.client as { readonly dialect?: unknown } | undefined)?.dialect } = properties;
  if (client === 'mssql') throw jobsRefused(`connections.${connection}: `);
  const address: StoreAddress = knex ?? ({ ...properties, synchronous } as Knex.Config);
  const names = { schema: inSchema, prefix };
  return { address, names, tableName, leaseMs: lease, pollIntervalMs: pollInterval, prefetch, keepCompletedMs: keepCompleted, autoMigrate };
}

/** What Knex reads of a config, beside `client` and `connection`. */
const knexKeys: readonly string[] = [
  'acquireConnectionTimeout',
  'asyncStackTraces',
  'client',
  'compileSqlOnError',
  'connection',
  'connectionPool',
  'debug',
  'defaultDateTimePrecision',
  'dialect',
  'fetchAsString',
  'jsonbSupport',
  'log',
  'migrations',
  'pool',
  'postProcessResponse',
  'searchPath',
  'seeds',
  'useNullAsDefault',
  'userParams',
  'version',
  'wrapIdentifier',
];

/** Keys that neither Redrive nor Knex knows: Knex would ignore them without a word. */
function misspelt(properties: Readonly<Record<string, unknown>>): readonly string[] {
  const known = [...Object.keys(schema.shape), ...knexKeys];
  return Object.keys(properties)
    .filter((key) => !known.includes(key))
    .map(
      (key) =>
        `${key}: unknown key${didYouMean(key, known) || `; known are ${Object.keys(schema.shape).join(', ')}, and the keys of a Knex config`}`,
    );
}
