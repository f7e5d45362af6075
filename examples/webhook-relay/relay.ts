import { fileURLToPath } from 'node:url';
import { defineConfig, type JobClass } from 'redrive';
import { DatabaseProvider } from 'redrive/providers/database';

const folder = new URL('../../.redrive/demo/', import.meta.url);

/** Where the demo leaves its files. */
export const files = {
  folder: fileURLToPath(folder),
  database: fileURLToPath(new URL('relay.db', folder)),
  deliveries: fileURLToPath(new URL('deliveries.jsonl', folder)),
  config: fileURLToPath(new URL('redrive.config.ts', folder)),
  log: fileURLToPath(new URL('relay.log', folder)),
} as const;

/** The relay: one SQLite file, and twelve workers. */
export const relayConfig = (deliverWebhook: JobClass) =>
  defineConfig({
    connections: {
      default: { provider: DatabaseProvider, properties: { client: 'better-sqlite3', connection: { filename: files.database } } },
    },
    workerPools: { relay: { connection: 'default', quantity: 12 } },
    jobs: [deliverWebhook],
    logFailedJobs: true,
    release: 'demo-1',
  });
