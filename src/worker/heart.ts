import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { sleep, type Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import type { Heartbeat } from '../provider/heartbeat.ts';
import type { PullProvider, Session } from '../provider/pull-provider.ts';
import type { Attend, FromThread, ToThread } from './heartbeat-thread.ts';
import { Pulse, pulseTime } from './pulse.ts';

/** Before a thread that died is replaced. */
const pauseMs = 5_000;
/** How long the thread may take to close its connections. */
const endPatienceMs = 2_000;

/** What follows from having no thread, for every message that says so. */
const consequence = "until then a job whose code blocks the event loop for longer than its connection's lease may run again elsewhere";

/** What a session has of the thread. */
export interface Attendance {
  readonly pulse: Pulse;
  /** Ends it. */
  readonly leave: () => void;
  /** Whether the thread is there and looks after it. */
  readonly isAttended: () => boolean;
}

/**
 * Has a thread of its own prolong the sessions of this process while a job's code keeps the main thread from doing so (F27).
 * One thread, whatever the number of pools, with a connection to each backend that it had to reach. It starts with the first
 * session, ends with `stop`, and never keeps the process alive. Where it cannot run, the main thread's renewals remain.
 */
export class Heart {
  private thread: Worker | undefined;
  private isReady = false;
  private lastKey = 0;
  private readonly attended = new Map<number, Attend>();
  private readonly lines = new Map<PullProvider, number>();

  constructor(
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** Looks after a session until `leave` is called; the caller keeps the pulse up to date. */
  attend(provider: PullProvider, session: Session): Attendance {
    const pulse = new Pulse();
    pulse.tickedAt = pulse.renewedAt = pulseTime();
    const key = ++this.lastKey;
    let isLeft = false;
    const begin = async (): Promise<void> => {
      const heartbeat = await provider.heartbeat();
      if (heartbeat === undefined || isLeft) return;
      this.begin({
        order: 'attend',
        key,
        ...this.lineTo(provider, heartbeat),
        session: session.id,
        leaseMs: session.leaseMs,
        memory: pulse.memory,
      });
    };
    begin().catch((error: unknown) => this.complain(error, 'No thread can renew the leases of this connection'));
    const leave = (): void => {
      isLeft = true;
      if (this.attended.delete(key)) this.tell({ order: 'leave', key });
    };
    return { pulse, leave, isAttended: () => this.isReady && this.attended.has(key) };
  }

  /** Ends the thread, whose connections are closed then. Nothing is attended to any more; a later session starts another one. */
  async stop(): Promise<void> {
    const { thread, isReady } = this;
    this.thread = undefined;
    this.isReady = false;
    this.attended.clear();
    if (thread === undefined) return;
    // One that still starts has no connection to be closed.
    if (isReady) {
      const ended = new AbortController();
      thread.once('exit', () => ended.abort());
      // Else a program whose last line awaits this would end before it.
      thread.ref();
      thread.postMessage({ order: 'end' } satisfies ToThread);
      await sleep(this.clock, endPatienceMs, ended.signal);
    }
    await thread.terminate();
  }

  private lineTo(provider: PullProvider, { module, given }: Heartbeat): Pick<Attend, 'line' | 'module' | 'given'> {
    const line = this.lines.get(provider) ?? this.lines.size;
    this.lines.set(provider, line);
    return { line, module: module.href, given };
  }

  private begin(attend: Attend): void {
    if (this.thread === undefined) this.start();
    this.tell(attend);
    // Only what could be told is told again to the next thread.
    this.attended.set(attend.key, attend);
  }

  private start(): void {
    const thread = startThread();
    this.thread = thread;
    this.isReady = false;
    thread.unref();
    thread.on('message', (message: FromThread) => this.hear(message));
    let fault: unknown;
    thread.on('error', (error) => (fault = error));
    thread.once('exit', (code) => {
      if (this.thread === thread) this.meetEnd(fault ?? new Error(`It exited with code ${code}`));
    });
  }

  private hear(message: FromThread): void {
    switch (message.said) {
      case 'ready':
        this.isReady = true;
        return;
      case 'trouble':
        this.complain(new Error(message.message), 'The heartbeat thread could not renew a session; trying again', message.session);
    }
  }

  /** One that had run is replaced. One that never got so far would fail again: it lacks a file or a permission. */
  private meetEnd(error: unknown): void {
    const hadRun = this.isReady;
    this.isReady = false;
    this.thread = undefined;
    this.complain(error, hadRun ? 'The heartbeat thread died; a new one is started soon' : 'The heartbeat thread could not be started');
    if (hadRun) this.clock.after(pauseMs, () => this.restart());
  }

  private restart(): void {
    if (this.attended.size === 0 || this.thread !== undefined) return;
    try {
      this.start();
      for (const attend of this.attended.values()) this.tell(attend);
    } catch (error) {
      this.complain(error, 'The heartbeat thread could not be started');
    }
  }

  private tell(message: ToThread): void {
    this.thread?.postMessage(message);
  }

  private complain(error: unknown, what: string, session?: number): void {
    this.logger.warn({ err: error, ...(session === undefined ? {} : { session }) }, `${what}; ${consequence}`);
  }
}

/** Throws where the process may not start threads. */
function startThread(): Worker {
  // Flags of the process are not the thread's: what they preload would be loaded twice.
  const options = { execArgv: [] };
  const isBuilt = import.meta.url.endsWith('.js');
  if (isBuilt) return new Worker(new URL('heartbeat-thread.js', import.meta.url), options);
  // From the sources, which Node.js 20 cannot run as they are: development and tests.
  const source = new URL('heartbeat-thread.ts', import.meta.url);
  const jiti = createRequire(import.meta.url).resolve('jiti');
  const [compiler, from, file] = [jiti, import.meta.url, source.href].map((text) => JSON.stringify(text));
  return new Worker(`import(${compiler}).then(({ createJiti }) => createJiti(${from}).import(${file}))`, { ...options, eval: true });
}
