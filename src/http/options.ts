import { systemClock, type Clock } from '../clock.ts';
import { describe, isPlainObject } from '../config/describe.ts';
import { didYouMean } from '../config/nearest.ts';
import { RedriveError } from '../errors.ts';
import { defaultLogger, safeLogger, type Logger } from '../logger.ts';
import { isLoopbackName } from './security/host.ts';

/** A token with a name, which the audit log has for what it did. */
export interface NamedToken {
  readonly name: string;
  readonly token: string;
}

/** What `authorize` answers: false refuses; a name is what the audit log has for the caller. */
export type Authorization = boolean | { readonly by: string };

/** How the HTTP interface is served. */
export interface RedriveHttpOptions {
  /** The path under which it is mounted, such as `/redrive`. Requests are handed over with their whole path. Default: none. */
  readonly basePath?: string;
  /** `Authorization: Bearer` must carry it, or one of them. Default: none. */
  readonly token?: string | readonly NamedToken[];
  /** Asked about each request that carries no valid token of `token`. Default: none. */
  readonly authorize?: (request: Request) => Authorization | Promise<Authorization>;
  /** Refuses everything that would change something. Default false. */
  readonly readOnly?: boolean;
  /** Host names that requests may be for, with or without a port; `*` for any. Default: the loopback names. */
  readonly hosts?: readonly string[];
  /** Largest body in bytes. Default 1 MiB. */
  readonly bodyLimit?: number;
  /** Told of errors that nobody foresaw. Default: JSON lines on stderr. */
  readonly logger?: Logger;
  /** Default: the system's. */
  readonly clock?: Clock;
}

/** The options with their defaults, checked. */
export interface ResolvedHttp {
  /** Empty, or with a leading and no trailing slash. */
  readonly basePath: string;
  readonly tokens: readonly NamedToken[];
  readonly authorize: RedriveHttpOptions['authorize'];
  readonly readOnly: boolean;
  readonly hosts: readonly string[];
  readonly bodyLimit: number;
  readonly logger: Logger;
  readonly clock: Clock;
}

const keys = [
  'basePath',
  'token',
  'authorize',
  'readOnly',
  'hosts',
  'bodyLimit',
  'logger',
  'clock',
] as const satisfies readonly (keyof RedriveHttpOptions)[];

/** Checks the options. Throws `OPTIONS_INVALID` with every fault. */
export function resolveHttp(options: RedriveHttpOptions): ResolvedHttp {
  const faults = isPlainObject(options) ? faultsOf(options) : [`the options are an object, not ${describe(options)}`];
  if (faults.length > 0) throw new RedriveError('OPTIONS_INVALID', `redriveHttp: ${faults.join('; ')}`, { faults });
  const { basePath = '', token, authorize, readOnly = false, hosts = [], bodyLimit = 1 << 20 } = options;
  return Object.freeze({
    basePath: basePath.replace(/\/+$/, ''),
    tokens: token === undefined ? [] : typeof token === 'string' ? [{ name: 'http', token }] : [...token],
    authorize,
    readOnly,
    hosts: hosts.map((host) => host.toLowerCase()),
    bodyLimit,
    logger: safeLogger(options.logger ?? defaultLogger()),
    clock: options.clock ?? systemClock,
  });
}

function faultsOf(options: RedriveHttpOptions & Readonly<Record<string, unknown>>): string[] {
  const faults = Object.keys(options)
    .filter((key) => !(keys as readonly string[]).includes(key))
    .map((key) => `${key}: no such option${didYouMean(key, keys)}`);
  const { basePath, token, authorize, readOnly, hosts, bodyLimit } = options as Readonly<Record<string, unknown>>;
  if (basePath !== undefined && !isBasePath(basePath)) faults.push('basePath: must be a path such as "/redrive"');
  if (token !== undefined) faults.push(...tokenFaults(token));
  if (authorize !== undefined && typeof authorize !== 'function') faults.push(`authorize: must be a function, not ${describe(authorize)}`);
  if (readOnly !== undefined && typeof readOnly !== 'boolean') faults.push(`readOnly: must be true or false, not ${describe(readOnly)}`);
  if (bodyLimit !== undefined && !(Number.isSafeInteger(bodyLimit) && Number(bodyLimit) > 0))
    faults.push('bodyLimit: must be a whole number of bytes');
  if (hosts !== undefined) faults.push(...hostFaults(hosts, token !== undefined || authorize !== undefined));
  return faults;
}

function isBasePath(value: unknown): boolean {
  return value === '' || (typeof value === 'string' && /^(?:\/[\w.~-]+)*\/?$/.test(value));
}

// What a header can carry: anything else could never be sent.
const tokenForm = /^[\x21-\x7e]+$/;

function tokenFaults(token: unknown): string[] {
  if (typeof token === 'string') return tokenForm.test(token) ? [] : ['token: must be visible ASCII characters, at least one'];
  if (!Array.isArray(token) || token.length === 0) return ['token: must be a text, or a list such as [{ name: "ops", token: "..." }]'];
  const named = token as readonly (Partial<Record<keyof NamedToken, unknown>> | null)[];
  return named.flatMap((one, index) => {
    if (typeof one?.name !== 'string' || one.name.trim() === '' || one.name.length > 255) return [`token[${index}].name: must be a name`];
    return typeof one.token === 'string' && tokenForm.test(one.token) ? [] : [`token[${index}].token: must be visible ASCII characters`];
  });
}

function hostFaults(hosts: unknown, guarded: boolean): string[] {
  if (!Array.isArray(hosts) || hosts.some((host) => typeof host !== 'string' || host.trim() === ''))
    return ['hosts: must be a list of host names'];
  const beyond = (hosts as readonly string[]).find((host) => !isLoopbackName(host));
  if (guarded || beyond === undefined) return [];
  return [`hosts: "${beyond}" can be reached from elsewhere; give a token or an authorize function as well`];
}
