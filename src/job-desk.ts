import type { ResolvedConfig } from './config/resolved.ts';
import { servingPool } from './config/serving-pool.ts';
import type { Clock } from './clock.ts';
import type { Connections } from './connections.ts';
import type { InterceptorBus } from './interceptor/bus.ts';
import type { JobRegistry } from './job/registry.ts';
import { audited, noteOf, type Act } from './failure/audit.ts';
import type { AttemptRules, RuledJob, RuleSource } from './failure/forecast.ts';
import type { Json } from './job/json.ts';
import { decodeMemento, storedOptions } from './job/memento.ts';
import type { Logger } from './logger.ts';
import type { CancelOutcome, QueueProvider, QueueStats, StoredJob } from './provider/queue-provider.ts';
import type { AuditNote } from './record/audit-log.ts';
import type { Redactor } from './record/redaction.ts';
import type { ExceptionSnapshot } from './record/types.ts';
import { resolvePolicy } from './worker/policy.ts';
import { v7 as uuidv7 } from 'uuid';

/** What became of a job. `queued` covers jobs that wait for a delay or a retry. */
export type JobStatusWord = 'queued' | 'picked' | 'successful' | 'failed' | 'canceled';

export interface JobStatus {
  readonly id: string;
  readonly name: string;
  readonly queue: string;
  readonly status: JobStatusWord;
  /** The attempt that runs, or the last one; 0 before the first. */
  readonly attempt: number;
  /** 0: no limit. */
  readonly maxAttempts: number;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  /** What `handle` returned, up to 64 KiB of JSON, while the completed job is kept. */
  readonly result?: unknown;
  /** Why it failed, redacted. */
  readonly exception?: ExceptionSnapshot;
  /** What it was given, redacted; null where the payload cannot be read. Only where it was asked for. */
  readonly properties?: Json;
}

/** A pool at work, in whatever process. */
export interface Worker {
  readonly connection: string;
  readonly pool: string;
  readonly host: string;
  readonly pid: number;
  readonly startedAt: Date;
  /** When it was last heard of. */
  readonly renewedAt: Date;
  /** Once this has passed without another word of it, its jobs are taken over. */
  readonly leaseEndsAt: Date;
  /** Jobs in its hands. */
  readonly reserved: number;
}

export interface StatusOptions {
  /** Default false. */
  readonly withProperties?: boolean;
}

export interface JobDeskContext {
  readonly config: ResolvedConfig;
  readonly connections: Connections;
  readonly registry: JobRegistry;
  readonly redactor: Redactor;
  readonly bus: InterceptorBus;
  readonly clock: Clock;
  readonly logger: Logger;
}

const words: Readonly<Record<StoredJob['state'], JobStatusWord>> = {
  ready: 'queued',
  waiting: 'queued',
  reserved: 'picked',
  completed: 'successful',
  failed: 'failed',
  canceled: 'canceled',
};

/** Looks up and steers single jobs and queues, on whichever connection they are. */
export class JobDesk {
  constructor(private readonly context: JobDeskContext) {}

  async status(id: string, options: StatusOptions = {}): Promise<JobStatus | undefined> {
    for (const name of this.context.config.connections.keys()) {
      const provider = await this.context.connections.open(name);
      const stored = await provider.find(id);
      if (stored === undefined) continue;
      const status = await this.present(stored, name, provider);
      return options.withProperties === true ? { ...status, properties: this.propertiesOf(stored) } : status;
    }
    return undefined;
  }

  async cancel(id: string, reason: string, by: string): Promise<CancelOutcome> {
    for (const name of this.context.config.connections.keys()) {
      const provider = await this.context.connections.open(name);
      if (!provider.capabilities.cancel) continue;
      const outcome = await this.act(
        provider,
        { action: 'cancelled', by, detail: { reason } },
        (audit) => provider.cancel(id, reason, audit),
        {
          done: (result) => (result === 'canceled' || result === 'cancelling' ? [id] : []),
        },
      );
      if (outcome === 'canceled') await this.tellCancelled(provider, { id, connection: name, by, reason });
      if (outcome !== 'not_found') return outcome;
    }
    return 'not_found';
  }

  /** Every connection's queue of this name; true where one of them changed. */
  pause(queue: string, by: string): Promise<boolean> {
    return this.steer(queue, { action: 'paused', by }, (provider, audit) => provider.pause(queue, by, audit));
  }

  /** The same for the queue to go on. */
  resume(queue: string, by: string): Promise<boolean> {
    return this.steer(queue, { action: 'resumed', by }, (provider, audit) => provider.resume(queue, audit));
  }

  /** Queues of the same name on several connections are added up. */
  async stats(queue?: string): Promise<readonly QueueStats[]> {
    const byQueue = new Map<string, QueueStats>();
    for (const provider of (await this.context.connections.openAll()).values()) {
      if (!provider.capabilities.status) continue;
      for (const one of await provider.stats(queue)) byQueue.set(one.queue, added(byQueue.get(one.queue), one));
    }
    return [...byQueue.values()].toSorted((a, b) => (a.queue < b.queue ? -1 : 1));
  }

  /** The pools at work on every connection. */
  async workers(): Promise<readonly Worker[]> {
    const found: Worker[] = [];
    for (const [connection, provider] of await this.context.connections.openAll()) {
      for (const { startedAt, renewedAt, leaseEndsAt, ...who } of await provider.workers())
        found.push({
          connection,
          ...who,
          startedAt: new Date(startedAt),
          renewedAt: new Date(renewedAt),
          leaseEndsAt: new Date(leaseEndsAt),
        });
    }
    return found;
  }

  private async steer(
    queue: string,
    act: Act,
    run: (provider: QueueProvider, audit: AuditNote | undefined) => Promise<boolean>,
  ): Promise<boolean> {
    const changed: boolean[] = [];
    for (const [connection, provider] of await this.context.connections.openAll()) {
      if (!provider.capabilities.status) continue;
      const told = { ...act, detail: { connection } };
      changed.push(await this.act(provider, told, (audit) => run(provider, audit), { done: (isChanged) => (isChanged ? [queue] : []) }));
    }
    return changed.includes(true);
  }

  /** Does something and writes it down, where there is an audit: it is kept with the failed jobs. */
  private async act<T>(
    provider: QueueProvider,
    act: Act,
    run: (audit: AuditNote | undefined) => Promise<T>,
    { done }: { readonly done: (result: T) => readonly string[] },
  ): Promise<T> {
    const log = await this.context.connections.failureLog();
    if (log === undefined) return run(undefined);
    const { logger } = this.context;
    return audited({ audit: log.audit, provider, logger }, { note: noteOf(act, this.context), run, done });
  }

  private async present(stored: StoredJob, connection: string, provider: QueueProvider): Promise<JobStatus> {
    const { id, name, queue, state, attempt, createdAt, startedAt, endedAt, result } = stored;
    const { redactor } = this.context;
    const last = state === 'failed' ? (await provider.attempts(id)).at(-1) : undefined;
    return {
      id,
      name,
      queue,
      status: words[state],
      attempt: state === 'reserved' ? attempt + 1 : attempt,
      maxAttempts: this.maxAttempts(stored, connection),
      createdAt: new Date(createdAt),
      startedAt: startedAt === null ? null : new Date(startedAt),
      endedAt: endedAt === null ? null : new Date(endedAt),
      ...(result === null ? {} : { result: redactor.json(JSON.parse(result) as Json, 'result') }),
      ...(last === undefined ? {} : { exception: redactor.exception(last.exception) }),
    };
  }

  private propertiesOf({ memento }: StoredJob): Json {
    return this.context.redactor.json(readable(memento), 'properties');
  }

  /** As a pool of this config that serves the queue would have it. */
  maxAttempts(job: RuledJob, connection: string): number {
    return this.rules(job, connection).maxAttempts;
  }

  /** How a job's attempts would be judged, and who says so. */
  rules({ memento, name, queue }: RuledJob, connection: string): AttemptRules {
    const { config, registry } = this.context;
    const serving = servingPool(config, connection, queue);
    const dispatched = storedOptions(memento);
    const policy = registry.find(name)?.policy;
    const { maxAttempts, backoff } = resolvePolicy(dispatched, policy, serving);
    const isServed = config.workerPools.includes(serving);
    const saysSo = (key: 'maxAttempts' | 'backoff'): RuleSource => {
      if (dispatched[key] !== undefined) return 'dispatch';
      if (policy?.[key] !== undefined) return 'job';
      return isServed ? 'pool' : 'default';
    };
    return {
      maxAttempts,
      backoff,
      pool: isServed ? serving.name : undefined,
      from: { maxAttempts: saysSo('maxAttempts'), backoff: saysSo('backoff') },
    };
  }

  private async tellCancelled(
    provider: QueueProvider,
    told: { id: string; connection: string; by: string; reason: string },
  ): Promise<void> {
    const { bus, clock } = this.context;
    const stored = bus.hears('onJobCancelled') ? await provider.find(told.id) : undefined;
    if (stored === undefined) return;
    const { id, name, queue, attempt, run, createdAt } = stored;
    const properties = this.propertiesOf(stored);
    const job = Object.freeze({
      id,
      name,
      queue,
      connection: told.connection,
      properties,
      attempt,
      maxAttempts: this.maxAttempts(stored, told.connection),
      run,
      createdAt: new Date(createdAt),
    });
    await bus.emit('onJobCancelled', { eventId: uuidv7(), at: new Date(clock.now()), job, by: told.by, reason: told.reason });
  }
}

function readable(memento: string): ReturnType<typeof decodeMemento>['properties'] | null {
  try {
    return decodeMemento(memento).properties;
  } catch {
    return null;
  }
}

function added(a: QueueStats | undefined, b: QueueStats): QueueStats {
  if (a === undefined) return b;
  const ages = [a.oldestReadyAge, b.oldestReadyAge].filter((age) => age !== null);
  return {
    queue: a.queue,
    ready: a.ready + b.ready,
    delayed: a.delayed + b.delayed,
    reserved: a.reserved + b.reserved,
    failed: a.failed + b.failed,
    completed: a.completed + b.completed,
    oldestReadyAge: ages.length === 0 ? null : Math.max(...ages),
    ...(a.paused === true || b.paused === true ? { paused: true as const } : {}),
  };
}
