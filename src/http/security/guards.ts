import type { Context, MiddlewareHandler } from 'hono';
import { getCookie } from 'hono/cookie';
import { HttpFault } from '../http-fault.ts';
import type { Caller, HttpEnv } from '../http-env.ts';
import type { ResolvedHttp } from '../options.ts';
import { signInPage, signInPolicy } from '../docs/sign-in-page.ts';
import { isLoopbackAddress, isServedHost } from './host.ts';
import { sameSecret } from './same-secret.ts';
import { openSession, sessionCookie } from './session-cookie.ts';

type Guard = MiddlewareHandler<HttpEnv>;

const longestUrl = 8_192;

/** Refuses what is larger than any honest request, before anything looks into it. */
export const guardUrl: Guard = async (context, next) => {
  if (context.req.url.length > longestUrl) throw new HttpFault('URL_TOO_LONG', `The URL is longer than ${longestUrl} characters`);
  await next();
};

/** Refuses requests for a host that this server was not told to serve. */
export function guardHost({ hosts }: ResolvedHttp): Guard {
  return async (context, next) => {
    const host = context.req.header('host') ?? new URL(context.req.url).host;
    if (!isServedHost(host, hosts))
      throw new HttpFault(
        'HOST_REFUSED',
        `This server does not answer for the host "${host.slice(0, 100)}"; add it to the hosts it serves`,
      );
    await next();
  };
}

/** Lets nobody on who is not known, and remembers who it is. */
export function guardCaller(options: ResolvedHttp): Guard {
  return async (context, next) => {
    const { authorize, tokens } = options;
    const known = tokenOf(context, options);
    if (known !== undefined) context.set('caller', known);
    else if (authorize !== undefined) context.set('caller', { name: await authorized(authorize, context.req.raw), bearer: false });
    else if (tokens.length > 0) {
      if (isForPerson(context)) return signInAnswer(options);
      throw new HttpFault('AUTHENTICATION_REQUIRED', 'Give the token in the header Authorization: Bearer TOKEN', {
        'WWW-Authenticate': challenge,
      });
    } else {
      checkNear(context.env.incoming?.socket.remoteAddress);
      context.set('caller', { name: 'http', bearer: false });
    }
    await next();
  };
}

const challenge = 'Bearer realm="redrive"';

/** A page that somebody opens in a browser; programs that take anything get JSON. */
function isForPerson({ req }: Context<HttpEnv>): boolean {
  return req.method === 'GET' && /\btext\/html\b/i.test(req.header('accept') ?? '');
}

/** No less a refusal for being a page. */
function signInAnswer({ basePath }: ResolvedHttp): Response {
  return new Response(signInPage(basePath), {
    status: 401,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': signInPolicy,
      'WWW-Authenticate': challenge,
    },
  });
}

function tokenOf(context: Context<HttpEnv>, { tokens, clock }: ResolvedHttp): Caller | undefined {
  if (tokens.length === 0) return undefined;
  const given = /^Bearer +(\S+) *$/i.exec(context.req.header('authorization') ?? '')?.[1];
  // Every token is compared, so that the time does not tell which one was near.
  const byHeader = given === undefined ? undefined : tokens.filter(({ token }) => sameSecret(given, token))[0];
  if (byHeader !== undefined) return { name: byHeader.name, bearer: true };
  const cookie = given === undefined ? getCookie(context, sessionCookie) : undefined;
  const byCookie = cookie === undefined ? undefined : openSession(cookie, tokens, clock.now());
  return byCookie === undefined ? undefined : { name: byCookie.name, bearer: false };
}

async function authorized(authorize: NonNullable<ResolvedHttp['authorize']>, request: Request): Promise<string> {
  const answer: unknown = await authorize(request);
  if (answer === true) return 'http';
  if (typeof answer === 'object' && answer !== null && 'by' in answer && typeof answer.by === 'string' && answer.by.trim() !== '')
    return answer.by.slice(0, 255);
  throw new HttpFault('NOT_PERMITTED', 'You are not permitted to do this');
}

/** Mounted in a server that the world can reach, an interface without any guard must not be open to the world. */
function checkNear(remoteAddress: string | undefined): void {
  if (remoteAddress === undefined || isLoopbackAddress(remoteAddress)) return;
  throw new HttpFault('NOT_PERMITTED', 'Without a token or an authorize function only this very machine is served; set one of them');
}

/** Refuses a write that a browser sends for another site, and any write where this server only reads. */
export function guardWrites({ readOnly }: ResolvedHttp): Guard {
  return async (context, next) => {
    const { method } = context.req;
    if (method !== 'GET' && method !== 'HEAD') {
      const site = context.req.header('sec-fetch-site');
      if (site !== undefined && site !== 'same-origin' && site !== 'none')
        throw new HttpFault('CROSS_SITE', `A write from another site is refused (Sec-Fetch-Site: ${site.slice(0, 40)})`);
      const origin = context.req.header('origin');
      if (origin !== undefined && hostOf(origin) !== (context.req.header('host') ?? new URL(context.req.url).host).toLowerCase())
        throw new HttpFault('CROSS_SITE', `A write from another site is refused (Origin: ${origin.slice(0, 100)})`);
      if (readOnly && !isSession(context.req.path)) throw new HttpFault('READ_ONLY', 'This server only reads; it was started read-only');
    }
    await next();
  };
}

/** Signing in and out changes nothing in the store. */
function isSession(path: string): boolean {
  return path.endsWith('/api/v1/session');
}

/** The host of an origin; its scheme is left aside, as a proxy in front may speak TLS. Undefined for `null` and what is none. */
function hostOf(origin: string): string | undefined {
  try {
    return new URL(origin).host.toLowerCase() || undefined;
  } catch {
    return undefined;
  }
}
