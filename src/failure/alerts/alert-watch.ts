import type { ResolvedAlertRule } from '../../config/resolved.ts';
import type { JobFailedEvent } from '../../interceptor/points.ts';
import { RuleWatch, type AlertContext } from './rule-watch.ts';

/** Watches failures for the rules of `alerts`. */
export class AlertWatch {
  private readonly rules: readonly RuleWatch[];

  constructor(rules: readonly ResolvedAlertRule[], context: AlertContext) {
    this.rules = rules.map((rule) => new RuleWatch(rule, context));
  }

  /** Takes note of a failure. It costs a few comparisons; nobody waits for what follows. */
  readonly onJobFailed = ({ job, kind, failure }: JobFailedEvent): void => {
    for (const rule of this.rules) rule.note({ queue: job.queue, job: job.name, kind, fingerprint: failure.fingerprint });
  };

  /** Looks whether failures were recorded that their process did not live to look at. */
  start(): void {
    for (const rule of this.rules) rule.look();
  }

  /** Looks at what is still to be looked at, if that is done in time, and at nothing after that. */
  async stop(patienceMs: number): Promise<void> {
    await Promise.all(this.rules.map((rule) => rule.stop(patienceMs)));
  }
}
