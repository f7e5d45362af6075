import { v7 as uuidv7 } from 'uuid';
import type { Clock } from '../clock.ts';
import type { ResolvedConfig } from '../config/resolved.ts';
import { didYouMean } from '../config/nearest.ts';
import { servingPool } from '../config/serving-pool.ts';
import { RedriveError } from '../errors.ts';
import type { InterceptorBus } from '../interceptor/bus.ts';
import { definitionOf, type JobClass } from '../job/define.ts';
import type { Json } from '../job/json.ts';
import type { JobRegistry } from '../job/registry.ts';
import { validate, type StandardSchema } from '../job/standard-schema.ts';
import type { Logger } from '../logger.ts';
import { encodeMemento } from '../job/memento.ts';
import { encodeProperties } from '../job/properties.ts';
import type { JobEnvelope, QueueProvider } from '../provider/queue-provider.ts';
import type { Redactor } from '../record/redaction.ts';
import { uniqueKey } from './unique-key.ts';
import { neededCapabilities, requireCapabilities } from './needed-capabilities.ts';
import { parseDispatchOptions, type ParsedDispatchOptions } from './dispatch-options.ts';
import { checkSpec, checkSpecs, type JobSpec } from './job-spec.ts';

export type { DispatchOptions } from './dispatch-options.ts';
export type { JobSpec } from './job-spec.ts';

export interface DispatcherContext {
  readonly config: ResolvedConfig;
  readonly clock: Clock;
  readonly bus: InterceptorBus;
  readonly redactor: Redactor;
  readonly registry: JobRegistry;
  readonly logger: Logger;
  /** The provider of a connection, opened. */
  readonly provider: (connection: string) => Promise<QueueProvider>;
}

interface Outgoing {
  readonly connection: string;
  readonly queue: string;
  readonly options: ParsedDispatchOptions;
  readonly envelope: JobEnvelope;
  /** As it will be worked; 0: no limit. */
  readonly maxAttempts: number;
}

/** What one push stored. */
interface Pushed {
  /** In order; for a job whose unique key is held, the holder's. */
  readonly ids: readonly string[];
  /** Those that are new. */
  readonly added: readonly string[];
  readonly provider: QueueProvider | undefined;
}

/** Jobs pushed by one transaction. */
const chunkSize = 500;

/** Checks jobs, serialises them, and hands them to their connection's provider. Nothing is pushed before everything is checked. */
export class Dispatcher {
  constructor(private readonly context: DispatcherContext) {}

  /** Rejects with what the job threw where its provider runs it in this very call. */
  async dispatch(spec: JobSpec): Promise<string> {
    const pushed = await this.push([await this.prepare(spec)]);
    const [id] = pushed.ids;
    if (id === undefined) throw new RedriveError('STORE_BROKEN', 'The provider stored the job but returned no id');
    await finish([pushed]);
    return id;
  }

  /** Ids in order. A transaction holds one chunk of one queue; those of a given `transaction` are all in that one. */
  async dispatchMany(specs: readonly JobSpec[]): Promise<readonly string[]> {
    const all: Outgoing[] = [];
    for (const [index, spec] of checkSpecs(specs).entries()) all.push(await this.prepareEntry(spec, index));
    const ids = new Map<Outgoing, string>();
    const pushed: Pushed[] = [];
    for (const group of groupBy(all, ({ connection, queue }) => `${connection}\n${queue}`)) {
      for (const sameTransaction of groupBy(group, ({ options }) => options.transaction)) {
        for (let from = 0; from < sameTransaction.length; from += chunkSize) {
          const chunk = sameTransaction.slice(from, from + chunkSize);
          const stored = await this.push(chunk);
          chunk.forEach((one, position) => ids.set(one, stored.ids[position] ?? one.envelope.id));
          pushed.push(stored);
        }
      }
    }
    await finish(pushed);
    return all.map((one) => ids.get(one) ?? one.envelope.id);
  }

  private async prepareEntry(spec: JobSpec, index: number): Promise<Outgoing> {
    try {
      return await this.prepare(checkSpec(spec));
    } catch (error) {
      if (!(error instanceof RedriveError)) throw error;
      throw new RedriveError(error.code, `Entry ${index} of the list: ${error.message}`, { cause: error, faults: error.faults });
    }
  }

  private async prepare({ job, properties, options }: JobSpec): Promise<Outgoing> {
    const name = nameOf(job);
    const text = encodeProperties(properties, name);
    const own = typeof job === 'string' ? (this.context.registry.find(name)?.options ?? {}) : (definitionOf(job)?.options ?? {});
    await checkSchema(name, own.schema, text);
    const parsed = parseDispatchOptions(name, options);
    const unique = own.unique === undefined ? undefined : uniqueKey(name, own.unique, text);
    const connection = this.connectionOf(parsed);
    const id = uuidv7();
    const stored = unique === undefined ? parsed.stored : { ...parsed.stored, unique };
    const memento = encodeMemento({ id, name, createdAt: this.context.clock.now(), options: stored }, text);
    const envelope = { id, name, memento, priority: parsed.priority, delayMs: parsed.delayMs, ...(unique === undefined ? {} : { unique }) };
    const queue = this.queueOf(connection, parsed);
    const needed = neededCapabilities(envelope, parsed);
    if (needed.length > 0) {
      const { capabilities } = await this.context.provider(connection);
      requireCapabilities(name, needed, { connection, capabilities });
    }
    const maxAttempts = parsed.stored.maxAttempts ?? own.maxAttempts ?? servingPool(this.context.config, connection, queue).maxAttempts;
    return { connection, queue, options: parsed, envelope, maxAttempts };
  }

  private connectionOf({ connection }: ParsedDispatchOptions): string {
    const { connections, defaultConnection } = this.context.config;
    const name = connection ?? defaultConnection;
    if (name === undefined)
      throw new RedriveError('CONNECTION_UNKNOWN', 'There is no connection to dispatch to; add one to connections in the config');
    if (!connections.has(name))
      throw new RedriveError(
        'CONNECTION_UNKNOWN',
        `There is no connection "${name}"${didYouMean(name, [...connections.keys()])}; connections: ${[...connections.keys()].join(', ')}`,
      );
    return name;
  }

  /** A queue that no pool serves would keep its jobs for ever, so where the config shows the pools, it has to be one of theirs. */
  private queueOf(connection: string, { queue }: ParsedDispatchOptions): string {
    const { connections, workerPools } = this.context.config;
    const defaultQueue = connections.get(connection)?.defaultQueue ?? 'default';
    if (queue === undefined || queue === defaultQueue) return defaultQueue;
    const served = workerPools.filter((pool) => pool.connection === connection).flatMap((pool) => pool.queues);
    if (served.length === 0 || served.includes('*') || served.includes(queue)) return queue;
    throw new RedriveError(
      'QUEUE_UNKNOWN',
      `No worker pool of connection "${connection}" serves queue "${queue}"${didYouMean(queue, served)}; add it to a pool's queues (served: ${[...new Set(served)].join(', ')})`,
    );
  }

  private async push(outgoing: readonly Outgoing[]): Promise<Pushed> {
    const [first] = outgoing;
    if (first === undefined) return { ids: [], added: [], provider: undefined };
    const { connection, queue, options } = first;
    const provider = await this.context.provider(connection);
    const envelopes = outgoing.map(({ envelope }) => envelope);
    const ids = await provider.push(queue, envelopes, options.transaction === undefined ? {} : { transaction: options.transaction });
    const added: string[] = [];
    for (const [position, one] of outgoing.entries()) {
      const { id, name, unique } = one.envelope;
      if (unique !== undefined && ids[position] !== id) {
        this.context.logger.info({ job: name, holder: ids[position], key: unique.key }, 'Not added: another job holds its unique key');
        continue;
      }
      added.push(id);
      if (this.context.bus.hears('onJobAdded')) await this.tellAdded(one);
    }
    return { ids, added, provider };
  }

  private async tellAdded({ connection, queue, envelope, maxAttempts }: Outgoing): Promise<void> {
    const { id, name, memento } = envelope;
    const at = new Date(this.context.clock.now());
    const properties = this.context.redactor.json((JSON.parse(memento) as { properties: Json }).properties, 'properties');
    const job = Object.freeze({
      id,
      name,
      queue,
      connection,
      properties,
      attempt: 0,
      maxAttempts,
      run: 1,
      createdAt: at,
    });
    await this.context.bus.emit('onJobAdded', { eventId: uuidv7(), at, job, connection });
  }
}

/** A job's name. Throws `JOB_UNNAMED` for what is neither a job class nor a name. */
export function nameOf(job: JobClass | string): string {
  if (typeof job === 'string') {
    if (job.trim() === '' || job.length > 255)
      throw new RedriveError('JOB_UNNAMED', 'A job is dispatched by its class or by its name, of 1 to 255 characters');
    return job;
  }
  const definition = definitionOf(job);
  if (definition !== undefined) return definition.name;
  const shown = typeof job === 'function' ? `Class ${(job as { name: string }).name}` : `What was dispatched (${typeof job})`;
  throw new RedriveError('JOB_UNNAMED', `${shown} is no job; give the class a name with @job('some.name'), or make it with defineJob`);
}

/** Throws `PROPERTIES_INVALID` with every fault that the job's schema finds. */
async function checkSchema(name: string, schema: StandardSchema | undefined, text: string): Promise<void> {
  if (schema === undefined) return;
  const checked = await validate(schema, JSON.parse(text));
  if (!checked.ok)
    throw new RedriveError('PROPERTIES_INVALID', `Job "${name}" was not dispatched: ${checked.faults.join('; ')}`, {
      faults: checked.faults,
    });
}

/** Lets providers without a background run what was pushed, and throws what the jobs threw: of several, all of it in an `AggregateError`. */
async function finish(pushed: readonly Pushed[]): Promise<void> {
  const thrown: unknown[] = [];
  for (const { provider, added } of pushed) if (added.length > 0) thrown.push(...((await provider?.afterPush(added)) ?? []));
  if (thrown.length > 1) throw new AggregateError(thrown, `${thrown.length} of the jobs failed`);
  // The very value, which need not be an Error.
  if (thrown.length === 1) throw thrown[0] as Error;
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => unknown): Iterable<readonly T[]> {
  const groups = new Map<unknown, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups.values();
}
