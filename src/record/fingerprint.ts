import { createHash } from 'node:crypto';
import { normaliseMessage } from './normalise-message.ts';
import { messageInStack } from './stacks.ts';
import { topApplicationFrame } from './top-application-frame.ts';
import type { ExceptionSnapshot } from './types.ts';

/**
 * What failures of one cause share: 16 hex digits of a hash over the job's name, the exception's type, its message without what
 * differs from one failure to the next, and the application's innermost frame. Causes are left out: what a failure is wrapped
 * around may differ while it is the same failure to the application.
 */
export function fingerprintOf({ job, exception }: { readonly job: string; readonly exception: ExceptionSnapshot }): string {
  const { type, message, stack } = exception;
  // A message may quote another stack; its frames are not where this was thrown.
  const frames = stack.slice(messageInStack(exception)?.end ?? 0);
  const facts = [job, type, normaliseMessage(message), topApplicationFrame(frames)];
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 16);
}
