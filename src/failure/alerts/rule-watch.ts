import { v7 as uuidv7 } from 'uuid';
import { sleep, type Clock, type Timer } from '../../clock.ts';
import type { ResolvedAlertRule } from '../../config/resolved.ts';
import type { InterceptorBus } from '../../interceptor/bus.ts';
import type { Logger } from '../../logger.ts';
import type { Claim } from '../../record/claims.ts';
import type { FailureLog } from '../../record/failure-log.ts';
import { judgedGroups, type RecentFailures } from '../../record/recent-failures.ts';
import type { Redactor } from '../../record/redaction.ts';
import type { FailureKind } from '../../record/types.ts';
import { alertEvent } from './alert-event.ts';
import { KnownFingerprints } from './known-fingerprints.ts';
import { readRaised, writeRaised, type RaisedAlert } from './raised-alert.ts';

export interface AlertContext {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly bus: InterceptorBus;
  readonly redactor: Redactor;
  /** Undefined while the failed-jobs log is off. */
  readonly log: () => Promise<FailureLog | undefined>;
}

/** What a rule asks of a failure. */
export interface NotedFailure {
  readonly queue: string;
  readonly job: string;
  readonly kind: FailureKind;
  readonly fingerprint: string;
}

/** A process counts no more often than this, however many failures there are. */
export const checkIntervalMs = 1_000;
const longestIntervalMs = 60_000;
/** Whoever raised an alert has this long to tell everybody of it; then another process tells it again. */
export const tellingMs = 5 * 60_000;
/** Counted at most, once an alert is raised. */
const mostCounted = 10_000;
const groupsTold = 5;

/**
 * One rule. A failure that it means sets off a look at the store: at once, but no more often than once a second, and not during the
 * cool-down. The store counts the failures of all processes, and its claim lets one of them raise the alert.
 */
export class RuleWatch {
  private readonly claimName: string;
  private readonly known = new KnownFingerprints();
  private lookedAt = Number.NEGATIVE_INFINITY;
  /** The end of the cool-down, as far as this process knows. */
  private silentUntil = Number.NEGATIVE_INFINITY;
  private intervalMs = checkIntervalMs;
  private next: { readonly at: number; readonly timer: Timer } | undefined;
  private looking: Promise<void> | undefined;
  /** Something failed while it looked. */
  private again = false;
  private stopped = false;

  constructor(
    private readonly rule: ResolvedAlertRule,
    private readonly context: AlertContext,
  ) {
    this.claimName = `alert:${rule.name}`;
  }

  note(failure: NotedFailure): void {
    const { queue, job, kind, fingerprint } = this.rule;
    if (queue !== undefined && queue !== failure.queue) return;
    if (job !== undefined && job !== failure.job) return;
    if (kind !== undefined && kind !== failure.kind) return;
    if (fingerprint === 'new') {
      if (this.known.isOld(failure.fingerprint)) return;
      this.known.note(failure.fingerprint);
    } else if (fingerprint !== undefined && fingerprint !== failure.fingerprint) return;
    this.look();
  }

  /** Looks at the store as soon as it may. */
  look(): void {
    const now = this.context.clock.now();
    // What fails in the cool-down counts once it is over and something fails again. A new group must not pass unnoticed, though.
    if (now < this.silentUntil && this.rule.fingerprint !== 'new') return;
    if (this.looking !== undefined) this.again = true;
    else this.lookAt(Math.max(now, this.lookedAt + this.intervalMs, this.silentUntil));
  }

  async stop(patienceMs: number): Promise<void> {
    const { clock } = this.context;
    const isDue = this.next !== undefined && clock.now() >= this.silentUntil;
    this.forgetNext();
    const last = this.looking ?? (isDue ? this.begin() : undefined);
    this.stopped = true;
    if (last === undefined) return;
    const done = new AbortController();
    void last.then(() => done.abort());
    await sleep(clock, patienceMs, done.signal);
  }

  private lookAt(at: number): void {
    if (this.stopped || (this.next !== undefined && this.next.at <= at)) return;
    this.forgetNext();
    const { clock } = this.context;
    const timer = clock.after(Math.max(at - clock.now(), 0), () => {
      this.next = undefined;
      // One that is under way looks again by itself.
      if (this.looking === undefined) void this.begin();
      else this.again = true;
    });
    this.next = { at, timer };
  }

  private forgetNext(): void {
    this.next?.timer.cancel();
    this.next = undefined;
  }

  private begin(): Promise<void> {
    this.lookedAt = this.context.clock.now();
    const asked = this.known.take();
    return (this.looking = this.check(asked)
      .then(() => void (this.intervalMs = checkIntervalMs))
      .catch((error: unknown) => {
        this.context.logger.warn({ err: error, rule: this.rule.name }, 'Failures could not be counted for an alert; trying again');
        for (const fingerprint of asked) this.known.note(fingerprint);
        this.intervalMs = Math.min(this.intervalMs * 2, longestIntervalMs);
        this.again = true;
      })
      .then(() => this.ended()));
  }

  private ended(): void {
    this.looking = undefined;
    const { again } = this;
    this.again = false;
    if (again) this.look();
  }

  private async check(asked: ReadonlySet<string>): Promise<void> {
    const log = await this.context.log();
    if (log === undefined) return;
    const { clock } = this.context;
    const { failures, withinMs } = this.rule;
    const claim = await log.claims.find(this.claimName);
    if (claim !== undefined && (await this.isTaken(log, claim))) return;
    const now = clock.now();
    const told = readRaised(claim?.detail ?? null)?.told ?? [];
    const which = await this.which(log, { since: now - withinMs, told, asked });
    if (which === undefined || (await log.recent.count(which, failures + 1)) <= failures) return;
    const raised: RaisedAlert = {
      id: uuidv7(),
      count: await log.recent.count(which, Math.max(mostCounted, failures + 1)),
      from: which.since,
      to: now,
      groups: await log.recent.groups(which, groupsTold),
      told: [...(which.fingerprints ?? []), ...told].slice(0, judgedGroups),
    };
    const own = await log.claims.swap(this.claimName, claim, { at: now, leaseUntil: now + tellingMs, detail: writeRaised(raised) });
    // Of all that counted too many one tells; the others see that when they look again.
    if (own === undefined) {
      this.again = true;
      return;
    }
    this.silence(now);
    await this.tell(log, own, { raised, redelivered: false });
  }

  /** True in the cool-down of an alert, and where one was told again whose teller had died. */
  private async isTaken(log: FailureLog, claim: Claim): Promise<boolean> {
    const now = this.context.clock.now();
    const { leaseUntil } = claim;
    this.silence(claim.at);
    if (leaseUntil === null || leaseUntil > now) {
      if (leaseUntil !== null) this.lookAt(leaseUntil);
      return now < this.silentUntil;
    }
    const own = await log.claims.swap(this.claimName, claim, { ...claim, leaseUntil: now + tellingMs });
    if (own !== undefined) await this.tell(log, own, { raised: readRaised(claim.detail), redelivered: true });
    this.again = true;
    return true;
  }

  /** Which failures count; undefined where no group is new. */
  private async which(
    log: FailureLog,
    { since, told, asked }: { readonly since: number; readonly told: readonly string[]; readonly asked: ReadonlySet<string> },
  ): Promise<RecentFailures | undefined> {
    const { queue, job, kind, fingerprint } = this.rule;
    const which: RecentFailures = {
      since,
      ...(queue === undefined ? {} : { queue }),
      ...(job === undefined ? {} : { job }),
      ...(kind === undefined ? {} : { kind }),
    };
    if (fingerprint === undefined) return which;
    if (fingerprint !== 'new') return { ...which, fingerprints: [fingerprint] };
    const fresh = new Set(await log.recent.newFingerprints(since));
    for (const known of told) fresh.delete(known);
    this.known.learn(asked, fresh);
    return fresh.size === 0 ? undefined : { ...which, fingerprints: [...fresh] };
  }

  private async tell(
    log: FailureLog,
    claim: Claim,
    { raised, redelivered }: { readonly raised: RaisedAlert | undefined; readonly redelivered: boolean },
  ): Promise<void> {
    const { bus, redactor } = this.context;
    if (raised !== undefined) await bus.emit('onAlert', alertEvent(this.rule, raised, { redactor, redelivered }));
    await log.claims.swap(this.claimName, claim, { ...claim, leaseUntil: null });
  }

  private silence(raisedAt: number): void {
    this.silentUntil = raisedAt + this.rule.cooldownMs;
    // A group that is new in the meantime is told of when it is over, whether it fails again or not.
    if (this.rule.fingerprint === 'new' && this.context.clock.now() < this.silentUntil) this.lookAt(this.silentUntil);
  }
}
