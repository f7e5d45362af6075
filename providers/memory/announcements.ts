import type { Announcement } from '../../src/provider/pull-provider.ts';
import type { StepDetail } from '../../src/record/failure-log.ts';

export interface KeptAnnouncement {
  readonly eventId: string;
  readonly kind: Announcement['kind'];
  readonly jobId: string;
  readonly name: string;
  readonly run: number;
  readonly at: number;
  /** The failure as text, for the kind `failed`. */
  readonly text: string | undefined;
  /** What else a step says, for the others. */
  readonly step?: StepDetail;
  /** Who tells it; undefined: whoever comes first. */
  session: number | undefined;
}

export interface AdoptRequest {
  readonly session: number;
  readonly jobNames: readonly string[];
  /** Event ids that the session's own pool is telling right now. */
  readonly telling: ReadonlySet<string>;
}

/** Announcements taken over at once. */
const adoptedAtOnce = 100;

/** Recorded facts until everybody was told. */
export class Announcements {
  private readonly byEvent = new Map<string, KeptAnnouncement>();

  add(one: KeptAnnouncement): void {
    this.byEvent.set(one.eventId, one);
  }

  remove(eventId: string): void {
    this.byEvent.delete(eventId);
  }

  forget(jobId: string): void {
    for (const one of this.byEvent.values()) if (one.jobId === jobId) this.byEvent.delete(one.eventId);
  }

  /** How many nobody alive is telling. */
  countUntold(isAlive: (session: number) => boolean): number {
    return [...this.byEvent.values()].filter(({ session }) => session === undefined || !isAlive(session)).length;
  }

  /** Takes over, oldest first, what nobody alive is telling, its own included; a failure only where its job's class is known. */
  adopt({ session, jobNames, telling }: AdoptRequest, isAlive: (session: number) => boolean): readonly KeptAnnouncement[] {
    const adopted: KeptAnnouncement[] = [];
    const known = new Set(jobNames);
    for (const one of this.byEvent.values()) {
      if (adopted.length === adoptedAtOnce) break;
      if (telling.has(one.eventId)) continue;
      if (one.session !== undefined && one.session !== session && isAlive(one.session)) continue;
      if (one.kind === 'failed' && !known.has(one.name)) continue;
      one.session = session;
      adopted.push(one);
    }
    return adopted;
  }
}
