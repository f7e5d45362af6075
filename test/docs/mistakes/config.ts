import { createRedrive, type RedriveConfig } from 'redrive';
import { config, refused, refusedAtStart, sqlite, thrown, type Mistake } from './mistake.ts';

const pool = (settings: object): Mistake => refused({ workerPools: { mail: { connection: 'default', ...settings } } });

/** Mistakes in the config itself. */
export const configMistakes: Readonly<Record<string, Mistake>> = {
  'config-function': () => thrown(() => createRedrive((() => config()) as unknown as RedriveConfig)),
  'config-promise': () => thrown(() => createRedrive(Promise.resolve(config()) as unknown as RedriveConfig)),
  'unknown-key': refused({ conections: {} }),
  'unknown-pool-key': pool({ timout: '5s' }),
  'wrong-type': pool({ quantity: '10' }),
  'bad-duration': pool({ timeout: '5 parsecs' }),
  'bad-backoff': pool({ backoff: ['1s', 'later'] }),
  'star-and-queue': pool({ queues: ['*', 'mail'] }),
  'unknown-connection': refused({ workerPools: { mail: { connection: 'defualt' } } }),
  'pool-without-connection': refused({ workerPools: { mail: { queues: ['mail'] } } }),
  'unknown-default-connection': refused({ defaultConnection: 'main' }),
  'unknown-datasource': refused({ logFailedJobsProperties: { datasource: 'defualt' } }),
  'workers-switch': () => withEnvironment('REDRIVE_REGISTER_WORKERS', 'perhaps', refused({})),
  'redact-path': refused({ redact: ['properties..card'] }),
  'no-logger': refused({ logger: { log() {} } }),
  alerts: refused({ alerts: [{ name: 'many' }] }),
  cleanup: refused({ logFailedJobsProperties: { cleanup: { frequency: 'daily' } } }),
  'redis-log': refused({ logFailedJobsProperties: { store: 'redis' } }),
  'database-without-client': refusedAtStart({ connections: { default: { ...sqlite(), properties: { filename: 'app.db' } } } }),
  'database-misspelt': refusedAtStart({ connections: { default: sqlite(':memory:', { keepcompleted: 0 }) } }),
  'database-without-file': refusedAtStart({ connections: { default: { ...sqlite(), properties: { client: 'better-sqlite3' } } } }),
  'unsupported-database': refusedAtStart({ connections: { default: sqlite(':memory:', { client: 'oracledb' }) } }),
  'short-lease': refusedAtStart({ connections: { default: sqlite(':memory:', { lease: '100ms' }) } }),
  'unknown-pool': () => thrown(async () => (await createRedrive(config())).start({ pools: ['mial'] })),
  'not-injectable': refused({ interceptors: [needsAnArgument()] }),
};

function needsAnArgument(): unknown {
  return class NotifyOps {
    constructor(readonly pager: object) {}
    onJobFailed(): void {}
  };
}

async function withEnvironment(name: string, value: string, mistake: Mistake): ReturnType<Mistake> {
  process.env[name] = value;
  try {
    return await mistake();
  } finally {
    delete process.env[name];
  }
}
