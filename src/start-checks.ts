import { checkProvider } from './config/service-checks.ts';
import type { ResolvedConfig, ResolvedPool } from './config/resolved.ts';
import type { Connections } from './connections.ts';
import { isRedriveError, RedriveError } from './errors.ts';
import type { JobClass } from './job/define.ts';
import type { JobRegistry } from './job/registry.ts';

export interface StartChecksContext {
  readonly config: ResolvedConfig;
  readonly connections: Connections;
  readonly registry: JobRegistry;
  readonly makeJob: (jobClass: JobClass) => unknown;
}

/**
 * Everything that only the container can tell, before anything runs: each provider and each job is built once.
 * Throws `JOB_UNRESOLVABLE` with all faults, or `CAPABILITY_MISSING` for a pool that wants too much.
 */
export async function checkBeforeStart({ config, connections, registry, makeJob }: StartChecksContext): Promise<void> {
  const faults: string[] = [];
  const attempt = async (what: string, build: () => unknown): Promise<void> => {
    try {
      await build();
    } catch (error) {
      if (isRedriveError(error)) throw error;
      faults.push(`${what}: ${firstLine(error)}`);
    }
  };
  for (const name of config.connections.keys()) {
    await attempt(`connections.${name}`, async () => {
      for (const { text } of checkProvider(await connections.build(name))) faults.push(`connections.${name}: its provider ${text}`);
    });
  }
  for (const { name, jobClass } of registry.all()) await attempt(`job "${name}"`, () => makeJob(jobClass));
  if (faults.length > 0) throw unresolvable(faults);
  for (const pool of config.workerPools) await checkCapabilities(pool, connections);
}

/** What the container could not build, in one error. */
export function unresolvable(faults: readonly string[]): RedriveError {
  return new RedriveError(
    'JOB_UNRESOLVABLE',
    `The container cannot build all that the config names; bind or mend it:\n  ${faults.join('\n  ')}`,
    { faults },
  );
}

export function firstLine(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : String(error);
}

async function checkCapabilities(pool: ResolvedPool, connections: Connections): Promise<void> {
  const { capabilities } = await connections.build(pool.connection);
  const several = pool.queues.length > 1 || pool.queues.includes('*');
  if (!several || capabilities.multipleQueues) return;
  throw new RedriveError(
    'CAPABILITY_MISSING',
    `Worker pool "${pool.name}" serves several queues, which the provider of connection "${pool.connection}" cannot; give each queue a pool of its own`,
  );
}
