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
 * Everything that only the container can tell, before anything runs: each provider and each job is built once. Throws
 * every fault at once, as `JOB_UNRESOLVABLE`, or as `CONFIG_INVALID` where all of them are the config's; and
 * `CAPABILITY_MISSING` for a pool that wants too much.
 */
export async function checkBeforeStart({ config, connections, registry, makeJob }: StartChecksContext): Promise<void> {
  const found: Fault[] = [];
  const attempt = async (what: string, build: () => unknown): Promise<void> => {
    try {
      await build();
    } catch (error) {
      found.push({ error, lines: linesOf(what, error) });
    }
  };
  for (const name of config.connections.keys()) await attempt(`connections.${name}`, () => connections.build(name));
  for (const { name, jobClass } of registry.all()) await attempt(`job "${name}"`, () => makeJob(jobClass));
  const [only] = found;
  if (found.length === 1 && isRedriveError(only?.error)) throw only.error;
  if (found.length > 0) throw together(found);
  for (const pool of config.workerPools) await checkCapabilities(pool, connections);
}

interface Fault {
  readonly error: unknown;
  readonly lines: readonly string[];
}

/** What was found wrong with one thing: an error that lists faults names the thing in each of them. */
function linesOf(what: string, error: unknown): readonly string[] {
  return isRedriveError(error) && error.faults.length > 0 ? error.faults : [`${what}: ${firstLine(error)}`];
}

function together(found: readonly Fault[]): RedriveError {
  const faults = found.flatMap(({ lines }) => lines);
  if (!found.every(({ error }) => isRedriveError(error, 'CONFIG_INVALID'))) return unresolvable(faults);
  return new RedriveError('CONFIG_INVALID', `The config has ${faults.length} faults:\n  ${faults.join('\n  ')}`, { faults });
}

/** What the container could not build, in one error. */
export function unresolvable(faults: readonly string[], cause?: unknown): RedriveError {
  return new RedriveError(
    'JOB_UNRESOLVABLE',
    `The container cannot build all that the config names; bind or mend it:\n  ${faults.join('\n  ')}`,
    cause === undefined ? { faults } : { faults, cause },
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
