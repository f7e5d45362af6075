import { checkName } from './checks.ts';
import { isPlainObject, show } from './describe.ts';
import { below, type Finding } from './finding.ts';
import { didYouMean } from './nearest.ts';

/**
 * What is wrong between parts of a config: names of connections and pools, and what refers to them. Looks at the raw
 * config, so that these findings are told together with those about its parts.
 */
export function checkReferences(config: Readonly<Record<string, unknown>>): readonly Finding[] {
  const { connections, workerPools, defaultConnection, logFailedJobsProperties } = config;
  const findings = [...checkKeys('connections', connections), ...checkKeys('workerPools', workerPools)];
  if (connections !== undefined && !isPlainObject(connections)) return findings;
  const known = Object.keys(connections ?? {});
  const refer = (value: unknown, path: readonly PropertyKey[]): void => {
    if (typeof value !== 'string' || value.trim() === '' || known.includes(value)) return;
    findings.push({ path, text: unknownConnection(value, known) });
  };
  refer(defaultConnection, ['defaultConnection']);
  for (const [name, pool] of entries(workerPools))
    refer(isPlainObject(pool) ? pool['connection'] : undefined, ['workerPools', name, 'connection']);
  if (isPlainObject(logFailedJobsProperties)) refer(logFailedJobsProperties['datasource'], ['logFailedJobsProperties', 'datasource']);
  return [...findings, ...checkAlertsHaveLog(config)];
}

/** A rule that counts nothing would be silent for ever. */
function checkAlertsHaveLog({ alerts, logFailedJobs }: Readonly<Record<string, unknown>>): readonly Finding[] {
  if (!Array.isArray(alerts) || alerts.length === 0 || logFailedJobs === true) return [];
  return [{ path: ['alerts'], text: 'count in the failed-jobs log, which is off; set logFailedJobs: true' }];
}

function checkKeys(key: string, value: unknown): Finding[] {
  return entries(value).flatMap(([name]) => below(key, below(name, nameFindings(name))));
}

function nameFindings(name: string): readonly Finding[] {
  // Assigned to an object it would vanish.
  return name === '__proto__' ? [{ path: [], text: 'is no usable name; give another' }] : checkName(name);
}

function unknownConnection(name: string, known: readonly string[]): string {
  const hint = didYouMean(name, known);
  if (known.length === 0) return `${show(name)} names no connection; add it under connections`;
  return `${show(name)} names no connection${hint === '' ? `; known are ${known.map(show).join(', ')}` : hint}`;
}

function entries(value: unknown): readonly (readonly [string, unknown])[] {
  return isPlainObject(value) ? Object.entries(value) : [];
}
