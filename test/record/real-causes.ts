/** What the webhooks of one service are full of, by what it looks like. */
export interface Material {
  readonly urls: readonly string[];
  readonly dates: readonly string[];
  readonly hashes: readonly string[];
  readonly nodeIds: readonly string[];
  readonly repositories: readonly string[];
  readonly titles: readonly string[];
  readonly numbers: readonly number[];
  readonly refs: readonly string[];
  readonly objects: readonly string[];
}

/** Collects the texts and numbers of payloads. */
export function materialOf(payloads: readonly unknown[]): Material {
  const found = { urls: [], dates: [], hashes: [], nodeIds: [], repositories: [], titles: [], numbers: [], refs: [], objects: [] } as {
    [Key in keyof Material]: Material[Key][number][];
  };
  const visit = (value: unknown, key: string): void => {
    if (typeof value === 'object' && value !== null) {
      const text = JSON.stringify(value);
      if (!Array.isArray(value) && text.length > 2 && text.length < 600) found.objects.push(text);
      for (const [name, inner] of Object.entries(value)) visit(inner, name);
    } else if (typeof value === 'number') found.numbers.push(value);
    else if (typeof value === 'string' && value !== '') {
      if (/^https?:/.test(value)) found.urls.push(value);
      else if (/^\d{4}-\d{2}-\d{2}T/.test(value)) found.dates.push(value);
      else if (/^[0-9a-f]{40}$/.test(value)) found.hashes.push(value);
      else if (key === 'node_id') found.nodeIds.push(value);
      else if (key === 'full_name') found.repositories.push(value);
      else if (value.startsWith('refs/')) found.refs.push(value);
      else if (['title', 'name', 'body', 'description', 'message'].includes(key)) found.titles.push(value);
    }
  };
  for (const payload of payloads) visit(payload, '');
  return found;
}

export interface Cause {
  readonly job: string;
  readonly type: string;
  /** A message of this cause; `pick` takes something else at each call. */
  readonly message: (pick: <T>(from: readonly T[]) => T, material: Material) => string;
  /** The application's frame that threw. */
  readonly at: string;
}

/** Twelve things that go wrong with webhooks. Some differ in little. */
export const causes: readonly Cause[] = [
  {
    job: 'webhooks.relay',
    type: 'HttpError',
    at: 'send (/srv/relay/src/send.ts:31:11)',
    message: (pick, { urls, numbers }) => `POST ${pick(urls)} failed with status code 502 after ${pick(numbers)} ms`,
  },
  {
    job: 'webhooks.relay',
    type: 'HttpError',
    at: 'send (/srv/relay/src/send.ts:31:11)',
    message: (pick, { urls, numbers }) => `POST ${pick(urls)} failed with status code 404 after ${pick(numbers)} ms`,
  },
  {
    job: 'webhooks.relay',
    type: 'Error',
    at: 'send (/srv/relay/src/send.ts:27:5)',
    message: (pick, { numbers }) =>
      `connect ECONNREFUSED 10.0.${Math.abs(pick(numbers)) % 256}.${Math.abs(pick(numbers)) % 256}:${8_000 + (Math.abs(pick(numbers)) % 999)}`,
  },
  {
    job: 'webhooks.relay',
    type: 'SyntaxError',
    at: 'parse (/srv/relay/src/parse.ts:8:20)',
    message: (pick, { objects, numbers }) => `Unexpected field at position ${pick(numbers)} of ${pick(objects)}`,
  },
  {
    job: 'issues.label',
    type: 'Error',
    at: 'label (/srv/relay/src/label.ts:14:9)',
    message: (pick, { titles, repositories }) => `No issue titled "${pick(titles).replaceAll(/["\\]/g, '')}" in ${pick(repositories)}`,
  },
  {
    job: 'issues.label',
    type: 'TypeError',
    at: 'label (/srv/relay/src/label.ts:22:30)',
    message: (pick, { titles }) => `Cannot read properties of undefined (reading '${pick(titles).replaceAll(/['\\]/g, '')}')`,
  },
  {
    job: 'archive.store',
    type: 'Error',
    at: 'store (/srv/relay/src/archive.ts:40:3)',
    message: (pick, { repositories, hashes }) =>
      `ENOENT: no such file or directory, open '/var/archive/${pick(repositories)}/${pick(hashes)}.json'`,
  },
  {
    job: 'archive.store',
    type: 'RangeError',
    at: 'store (/srv/relay/src/archive.ts:44:3)',
    message: (pick, { dates, numbers }) => `Delivery ${pick(numbers)} of ${pick(dates)} is older than ${pick(dates)}`,
  },
  {
    job: 'sync.upsert',
    type: 'QueryFailedError',
    at: 'upsert (/srv/relay/src/sync.ts:71:13)',
    message: (pick, { nodeIds }) => `duplicate key value violates unique constraint: Key (node_id)=(${pick(nodeIds)}) already exists.`,
  },
  {
    job: 'sync.upsert',
    type: 'QueryFailedError',
    at: 'upsert (/srv/relay/src/sync.ts:71:13)',
    message: (pick, { nodeIds }) => `insert or update violates foreign key constraint: Key (node_id)=(${pick(nodeIds)}) is not present.`,
  },
  {
    job: 'merge.check',
    type: 'ConflictError',
    at: 'check (/srv/relay/src/merge.ts:9:7)',
    message: (pick, { hashes, refs }) => `Commit ${pick(hashes)} conflicts with ${pick(hashes).slice(0, 7)} on ${pick(refs)}`,
  },
  {
    job: 'merge.check',
    type: 'ConflictError',
    at: 'check (/srv/relay/src/merge.ts:9:7)',
    message: (pick, { urls, repositories, hashes }) => `${pick(repositories)}@${pick(hashes)} has no pull request, see ${pick(urls)}.`,
  },
];
