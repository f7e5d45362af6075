import { RedriveError } from '../errors.ts';
import { uniqueKey } from '../dispatch/unique-key.ts';
import type { JsonObject } from '../job/json.ts';
import { decodeMemento, encodeMemento } from '../job/memento.ts';
import { encodeProperties } from '../job/properties.ts';
import type { JobRegistry } from '../job/registry.ts';
import { validate } from '../job/standard-schema.ts';
import type { UniqueKey } from '../provider/queue-provider.ts';
import { redactionMarker } from '../record/redaction.ts';
import { mergePatch } from './merge-patch.ts';

/** A job with edited properties, ready to be stored. */
export interface EditedJob {
  readonly memento: string;
  readonly properties: JsonObject;
  /** The key that it asks for as it is now. */
  readonly unique?: UniqueKey;
}

/**
 * The JSON merge patch of an edit. Throws `PROPERTIES_INVALID` for what is no plain JSON object, and for one that holds
 * the mark of a redaction: it was made from what is shown, and would put the mark where the real value is.
 */
export function parsePatch(value: unknown): JsonObject {
  const text = encodeProperties(value, 'an edit');
  if (text.includes(redactionMarker))
    throw new RedriveError(
      'PROPERTIES_INVALID',
      `properties: the patch holds ${redactionMarker}, which stands for a value that is not shown; leave that key out, and the job keeps its real value`,
    );
  return JSON.parse(text) as JsonObject;
}

/**
 * Edits a stored job. Throws `PAYLOAD_UNREADABLE` where it cannot be read, `PROPERTIES_INVALID` with every fault where the
 * result does not fit the schema of a job that this process knows.
 */
export async function editJob(memento: string, patch: JsonObject, registry: JobRegistry): Promise<EditedJob> {
  const job = decodeMemento(memento);
  const properties = mergePatch(job.properties, patch);
  const text = JSON.stringify(properties);
  const own = registry.find(job.name)?.options ?? {};
  if (own.schema !== undefined) {
    const checked = await validate(own.schema, JSON.parse(text));
    if (!checked.ok)
      throw new RedriveError('PROPERTIES_INVALID', `the edited properties do not fit the job's schema: ${checked.faults.join('; ')}`, {
        faults: checked.faults,
      });
  }
  const { unique: held, ...options } = job.options;
  const unique = own.unique === undefined ? held : uniqueKey(job.name, own.unique, text);
  const stored = unique === undefined ? options : { ...options, unique };
  return { memento: encodeMemento({ ...job, options: stored }, text), properties, ...(unique === undefined ? {} : { unique }) };
}
