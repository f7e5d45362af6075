import type { CancelRequest, Held, Reservation, ReservedJob, ReserveRequest } from '../../../src/provider/pull-provider.ts';
import type { MemoryJob } from '../jobs.ts';
import { comesBefore, type Line } from '../lines.ts';
import type { Memory } from '../memory.ts';

/** Hands out ready jobs, queue by queue in order of precedence, and marks those started that start at once. */
export function reserve({ jobs, sessions }: Memory, sessionId: number, request: ReserveRequest, now: number): Reservation {
  const session = sessions.fence(sessionId);
  jobs.promoteDue(now);
  const reserved: ReservedJob[] = [];
  for (const line of jobs.lines.served(request.queues)) {
    const nextOf = request.only === undefined ? () => line.ready.first : among(jobs, request.only, line);
    for (let job = nextOf(); job !== undefined && reserved.length < request.limit; job = nextOf()) {
      const seq = ++session.lastSeq;
      session.held.set(seq, job);
      reserved.push(jobs.reserve(job, { session: sessionId, seq }, now));
    }
  }
  const lastStarted = reserved[Math.min(request.startNow, reserved.length) - 1];
  if (lastStarted !== undefined) session.startedThrough = lastStarted.lease.seq;
  const nextReadyAt = request.only === undefined ? jobs.nextReadyAt : jobs.nextReadyOf(request.only);
  return reserved.length === request.limit || nextReadyAt === undefined ? { jobs: reserved } : { jobs: reserved, nextReadyAt };
}

/** Which of some jobs of a line comes next. */
function among(jobs: Memory['jobs'], only: ReadonlySet<string>, line: Line): () => MemoryJob | undefined {
  return () => {
    let next: MemoryJob | undefined;
    for (const id of only) {
      const job = jobs.find(id);
      if (job?.state === 'ready' && job.line === line && (next === undefined || comesBefore(job, next))) next = job;
    }
    return next;
  };
}

export function start({ sessions }: Memory, sessionId: number, throughSeq: number): void {
  const session = sessions.fence(sessionId);
  session.startedThrough = Math.max(session.startedThrough, throughSeq);
}

export interface Renewed {
  readonly cancels: readonly CancelRequest[];
  /** Whether jobs went back. */
  readonly gaveBack: boolean;
}

/** Prolongs the lease of all jobs of the session, gives back what the pool does not know it has, and says what to cancel. */
export function renew(
  { jobs, sessions }: Memory,
  sessionId: number,
  held: Held,
  times: { readonly now: number; readonly leaseMs: number },
): Renewed {
  const session = sessions.fence(sessionId);
  sessions.renew(session, times.leaseMs, times.now);
  const cancels: CancelRequest[] = [];
  let gaveBack = false;
  for (const [seq, job] of session.held) {
    if (seq > held.through) continue;
    if (held.seqs.has(seq)) {
      if (job.cancelReason !== undefined) cancels.push({ seq, reason: job.cancelReason });
      continue;
    }
    session.held.delete(seq);
    jobs.giveBack(job);
    gaveBack = true;
  }
  return { cancels, gaveBack };
}
