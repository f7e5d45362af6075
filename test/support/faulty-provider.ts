import { AsyncLocalStorage } from 'node:async_hooks';
import { DatabaseProvider } from '../../providers/database/index.ts';
import { RedriveError } from '../../src/errors.ts';
import type { PullProvider, ReserveRequest, Session, SessionInfo, SettleBatch } from '../../src/provider/pull-provider.ts';
import type { ProviderContext, RequeueOptions, RequeueRequest } from '../../src/provider/queue-provider.ts';
import type { Script } from '../../src/store/script.ts';
import type { SqlStore } from '../../src/store/sql-store.ts';

export type FaultyCall = 'settle' | 'rescue' | 'requeue' | 'reserve' | 'start' | 'renew' | 'adopt' | 'openSession' | 'closeSession';

/** What goes wrong, once: in the first call of this kind that writes. */
export interface Fault {
  readonly call: FaultyCall;
  /** Before the nth statement of its transaction (1, 2, ...), before the commit, or after it: the reply is lost. */
  readonly at: number | 'commit' | 'reply';
  /** Whether the process dies of it: nothing it asks of its database is done any more. */
  readonly dies: boolean;
  /** Default `broken`: a fault of the disk. `busy`: somebody else is in the way, and the store itself tries again. */
  readonly kind?: keyof FaultErrors;
}

/** What the driver of an engine throws. */
export interface FaultErrors {
  readonly broken: () => Error;
  readonly busy: () => Error;
}

/** What is under way, and with which faults. One for all: each costs every promise of the process something for as long as that lives. */
const calls = new AsyncLocalStorage<{ readonly faults: Faults; readonly call: FaultyCall }>();

/** A database that goes wrong at one chosen instant. */
export class Faults {
  fired = false;
  private fault: Fault | undefined;
  private isDead = false;
  private readonly held = new Map<FaultyCall, Promise<void>>();
  private chosen: object | undefined;

  constructor(private readonly errors: FaultErrors) {}

  arm(fault: Fault): void {
    this.fault = fault;
  }

  /** The dead process is let go, so that it can be stopped. */
  revive(): void {
    this.isDead = false;
    this.fault = undefined;
  }

  /** Makes the transactions of one kind of call wait for the database until the returned function is called. */
  hold(call: FaultyCall): () => void {
    let release = (): void => undefined;
    this.held.set(call, new Promise((resolve) => (release = resolve)));
    return () => {
      this.held.delete(call);
      release();
    };
  }

  during<T>(call: FaultyCall, run: () => Promise<T>): Promise<T> {
    return calls.run({ faults: this, call }, run);
  }

  /** In place: whoever else has this store has to meet the same faults. */
  haunt(store: SqlStore): SqlStore {
    const read = store.read.bind(store);
    const write = store.write.bind(store);
    store.read = async (script) => {
      if (this.isDead) throw this.broken();
      return read(script);
    };
    store.write = async (script) => {
      if (this.isDead) throw this.broken();
      const call = this.underWay()?.call;
      if (call !== undefined) await this.held.get(call);
      const fault = this.faultOfThisCall();
      if (fault === undefined) return write(script);
      const result = await write(() => this.disturbed(script(), fault));
      if (fault.at !== 'reply') return result;
      throw this.broken(this.fire(fault));
    };
    return store;
  }

  private underWay(): { readonly call: FaultyCall } | undefined {
    const call = calls.getStore();
    return call?.faults === this ? call : undefined;
  }

  private faultOfThisCall(): Fault | undefined {
    const call = this.underWay();
    if (call === undefined || this.fault === undefined || this.fired || call.call !== this.fault.call) return undefined;
    this.chosen ??= call;
    return this.chosen === call ? this.fault : undefined;
  }

  private *disturbed<T>(script: Script<T>, fault: Fault): Script<T> {
    let step = script.next();
    for (let number = 1; step.done !== true; number += 1) {
      if (number === fault.at && !this.fired) throw this.fire(fault);
      // What the database refuses is the script's to deal with.
      try {
        step = script.next(yield step.value);
      } catch (error) {
        step = script.throw(error);
      }
    }
    if (fault.at === 'commit' && !this.fired) throw this.fire(fault);
    return step.value;
  }

  private fire({ kind = 'broken', dies }: Fault): Error {
    this.fired = true;
    this.isDead = dies;
    return this.errors[kind]();
  }

  /** As a store tells it. */
  private broken(cause = this.errors.broken()): RedriveError {
    return new RedriveError('STORE_BROKEN', cause.message, { cause });
  }
}

/** A provider on a database that goes wrong. Given to a config as an instance, one for each Redrive. */
export class FaultyProvider extends DatabaseProvider {
  constructor(private readonly faults: Faults) {
    super();
  }

  override init(context: ProviderContext): void {
    const stores = {
      open: async (...given: Parameters<typeof context.stores.open>) => this.faults.haunt(await context.stores.open(...given)),
    };
    super.init({ ...context, stores });
  }

  override openSession(info: SessionInfo): Promise<Session> {
    return this.faults.during('openSession', () => super.openSession(info));
  }

  override closeSession(session: Session): Promise<void> {
    return this.faults.during('closeSession', () => super.closeSession(session));
  }

  override reserve(session: Session, request: ReserveRequest): ReturnType<PullProvider['reserve']> {
    return this.faults.during('reserve', () => super.reserve(session, request));
  }

  override start(session: Session, throughSeq: number): Promise<void> {
    return this.faults.during('start', () => super.start(session, throughSeq));
  }

  override settle(session: Session, batch: SettleBatch): ReturnType<PullProvider['settle']> {
    return this.faults.during('settle', () => super.settle(session, batch));
  }

  override renew(...given: Parameters<PullProvider['renew']>): ReturnType<PullProvider['renew']> {
    return this.faults.during('renew', () => super.renew(...given));
  }

  override rescue(session: Session): ReturnType<PullProvider['rescue']> {
    return this.faults.during('rescue', () => super.rescue(session));
  }

  override adopt(...given: Parameters<PullProvider['adopt']>): ReturnType<PullProvider['adopt']> {
    return this.faults.during('adopt', () => super.adopt(...given));
  }

  override requeue(requests: readonly RequeueRequest[], options?: RequeueOptions): ReturnType<PullProvider['requeue']> {
    return this.faults.during('requeue', () => super.requeue(requests, options));
  }
}
