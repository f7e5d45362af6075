import { createHash, randomBytes } from 'node:crypto';
import { sleep, systemClock } from '../../../../src/clock.ts';
import type { TableNames } from '../../../../src/store/sql-dialect.ts';
import type { WakeUps } from '../server/server-store.ts';

/** Between two notifications of one process: a notification costs a commit, and wakes whoever has nothing to do. */
const quietMs = 50;
/** No queue has this name. */
const anyQueue = '*';
const firstPauseMs = 250;
const longestPauseMs = 30_000;
/** A connection whose other end vanished without a word says nothing for ever: it is asked now and then. */
const checkMs = 60_000;

/** What this module uses of a connection of the `pg` driver. */
export interface ListeningConnection {
  query(config: { readonly text: string; readonly query_timeout: number }): Promise<unknown>;
  on(event: 'notification', listener: (notification: { readonly payload?: string | undefined }) => void): unknown;
  on(event: 'end' | 'error', listener: () => void): unknown;
  end(): Promise<void>;
  unref?(): void;
}

export interface WakeUpOptions {
  readonly names: TableNames & { readonly schema: string };
  /** Opens a connection for listening alone, outside of the pool; undefined where that is not possible. */
  readonly connect: (() => Promise<ListeningConnection>) | undefined;
  /** Runs a statement on a connection of the pool. */
  readonly perform: (sql: string, bindings: readonly unknown[]) => Promise<unknown>;
}

/**
 * LISTEN on a connection of its own while somebody here waits for work, and NOTIFY when there is some: outside of the transactions that
 * make it, since notifying commits one after the other. What gets lost on the way is found by polling.
 */
export class PostgresWakeUps implements WakeUps {
  private readonly channel: string;
  /** Tells our own notifications from others'. */
  private readonly origin = randomBytes(6).toString('hex');
  private readonly listeners = new Set<(queue?: string) => void>();
  private readonly closing = new AbortController();
  private readonly owed = new Set<string>();
  private telling: Promise<void> | undefined;
  private listening: { readonly ended: Promise<void>; readonly stop: AbortController } | undefined;

  constructor(private readonly options: WakeUpOptions) {
    const { schema, prefix } = options.names;
    // A channel's name is cut off where a table's is.
    this.channel = `redrive_${createHash('sha256')
      .update(JSON.stringify([schema, prefix]))
      .digest('hex')
      .slice(0, 16)}`;
  }

  get hearsOthers(): boolean {
    return this.options.connect !== undefined;
  }

  listen(listener: (queue?: string) => void): () => void {
    this.listeners.add(listener);
    if (this.listening === undefined && this.options.connect !== undefined) {
      const stop = new AbortController();
      this.listening = { stop, ended: this.keepListening(this.options.connect, stop.signal) };
    }
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) this.stopListening();
    };
  }

  tell(queue = anyQueue): void {
    this.owed.add(queue);
    this.telling ??= this.tellOwed().finally(() => (this.telling = undefined));
  }

  async close(): Promise<void> {
    const { listening } = this;
    this.closing.abort();
    this.stopListening();
    await listening?.ended;
    await this.telling;
  }

  private stopListening(): void {
    this.listening?.stop.abort();
    this.listening = undefined;
  }

  private async tellOwed(): Promise<void> {
    while (this.owed.size > 0) {
      const payloads = [...this.owed].map((queue) => `${this.origin} ${queue}`);
      this.owed.clear();
      const sql = 'SELECT pg_notify(?, payload) FROM unnest(?::text[]) AS payloads(payload)';
      await this.options.perform(sql, [this.channel, payloads]).catch(() => undefined);
      await sleep(systemClock, quietMs, this.closing.signal);
    }
  }

  private async keepListening(connect: () => Promise<ListeningConnection>, signal: AbortSignal): Promise<void> {
    for (let pauseMs = firstPauseMs; !signal.aborted; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        await this.listenOnce(await connect(), signal, () => (pauseMs = firstPauseMs));
      } catch {
        // Whoever waits polls meanwhile, and says what is wrong with the server.
      }
      await sleep(systemClock, pauseMs * (0.5 + Math.random() / 2), signal);
    }
  }

  /** Resolves when the connection is lost, or the signal aborts. */
  private async listenOnce(connection: ListeningConnection, signal: AbortSignal, onListening: () => void): Promise<void> {
    const over = new AbortController();
    const ended = AbortSignal.any([signal, over.signal]);
    connection.on('end', () => over.abort());
    connection.on('error', () => over.abort());
    connection.on('notification', ({ payload = '' }) => this.hear(payload));
    connection.unref?.();
    try {
      await connection.query({ text: `LISTEN "${this.channel}"`, query_timeout: checkMs });
      onListening();
      // Something may have been said while nobody listened.
      this.wake();
      while (!ended.aborted) {
        await sleep(systemClock, checkMs, ended);
        if (!ended.aborted) await connection.query({ text: 'SELECT 1', query_timeout: checkMs });
      }
    } finally {
      await connection.end().catch(() => undefined);
    }
  }

  private hear(payload: string): void {
    const space = payload.indexOf(' ');
    if (payload.slice(0, space) === this.origin) return;
    const queue = payload.slice(space + 1);
    this.wake(queue === anyQueue ? undefined : queue);
  }

  private wake(queue?: string): void {
    for (const listener of this.listeners) listener(queue);
  }
}
