import type { Announcement } from '../../../src/provider/pull-provider.ts';
import type { AdoptRequest, KeptAnnouncement } from '../announcements.ts';
import { readFailure } from '../failure-text.ts';
import type { Memory } from '../memory.ts';
import type { MemoryFailureLog } from '../memory-failure-log.ts';

/** Takes over what the dead and the commands left untold, and our own that nobody tells, as the worker needs it. */
export function adopt(
  { sessions, announcements }: Memory,
  request: AdoptRequest,
  log: MemoryFailureLog | undefined,
): readonly Announcement[] {
  sessions.fence(request.session);
  return announcements.adopt(request, (id) => sessions.isAlive(id)).map((one) => readAnnouncement(one, log));
}

function readAnnouncement(announcement: KeptAnnouncement, log: MemoryFailureLog | undefined): Announcement {
  const { eventId, kind, jobId, run, at, text, step } = announcement;
  if (kind !== 'failed' || text === undefined) return { ...step, eventId, kind: kind === 'resolved' ? kind : 'retrying', jobId, run, at };
  const record = readFailure(text);
  const { job: name, queue, memento, attempt, createdAt, startedAt } = record;
  const job = {
    id: jobId,
    name,
    queue,
    memento,
    run,
    attempt: attempt ?? 0,
    createdAt,
    firstStartedAt: at,
    reservedAt: startedAt ?? at,
    lease: { session: 0, seq: 0 },
  };
  return { eventId, kind, job, record, failedJobId: log?.numberOf(jobId) };
}
