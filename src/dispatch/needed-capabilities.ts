import { RedriveError } from '../errors.ts';
import type { Capabilities } from '../provider/capabilities.ts';
import type { JobEnvelope } from '../provider/queue-provider.ts';
import type { ParsedDispatchOptions } from './dispatch-options.ts';

type Needed = Extract<keyof Capabilities, 'delay' | 'priority' | 'unique' | 'transactions'>;

const without: Readonly<Record<Needed, string>> = {
  delay: 'its delay: jobs there are ready at once',
  priority: 'its priority: jobs there have none',
  unique: "the job's unique key: nobody there holds one",
  transactions: 'a transaction of yours; dispatch after its commit',
};

/** What a dispatch asks of its provider beyond storing a job. */
export function neededCapabilities(
  { delayMs, priority, unique }: Pick<JobEnvelope, 'delayMs' | 'priority' | 'unique'>,
  { transaction }: Pick<ParsedDispatchOptions, 'transaction'>,
): readonly Needed[] {
  const asked: Readonly<Record<Needed, boolean>> = {
    delay: delayMs > 0,
    priority: priority !== 0,
    unique: unique !== undefined,
    transactions: transaction !== undefined,
  };
  return (Object.keys(asked) as readonly Needed[]).filter((capability) => asked[capability]);
}

/** Throws `CAPABILITY_MISSING`, with all of them, where a provider lacks what is needed: it would ignore it without a word. */
export function requireCapabilities(job: string, needed: readonly Needed[], by: { connection: string; capabilities: Capabilities }): void {
  const missing = needed.filter((capability) => !by.capabilities[capability]);
  if (missing.length === 0) return;
  const faults = missing.map((capability) => `it cannot honour ${without[capability]} (capability ${capability})`);
  throw new RedriveError(
    'CAPABILITY_MISSING',
    `Job "${job}" was not dispatched to connection "${by.connection}": ${faults.join('; ')}. Leave it out, or name a connection whose provider can`,
    { faults },
  );
}
