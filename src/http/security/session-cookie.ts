import { createHmac } from 'node:crypto';
import type { NamedToken } from '../options.ts';
import { sameSecret } from './same-secret.ts';

// A browser cannot put a header on every request, server-sent events and links among them, so it trades its token for a
// cookie. The cookie names the token and an end, sealed with a key made of the token: no state here, and no token there.

export const sessionCookie = 'redrive_session';

/** Seconds that a cookie is good for. */
export const sessionSeconds = 12 * 60 * 60;

/** What the cookie holds for a token. */
export function sealSession(token: NamedToken, nowMs: number): string {
  const content = `${Buffer.from(token.name).toString('base64url')}.${Math.floor(nowMs / 1_000) + sessionSeconds}`;
  return `${content}.${seal(content, token)}`;
}

/** The token that a cookie was traded for; undefined for a cookie that is not ours, or past its end. */
export function openSession(value: string, tokens: readonly NamedToken[], nowMs: number): NamedToken | undefined {
  const [, content, encodedName, end, given] = /^(([\w-]+)\.(\d{1,12}))\.([\w-]{43})$/.exec(value) ?? [];
  if (content === undefined || encodedName === undefined || end === undefined || given === undefined) return undefined;
  if (Number(end) * 1_000 <= nowMs) return undefined;
  const name = Buffer.from(encodedName, 'base64url').toString();
  return tokens.find((token) => token.name === name && sameSecret(given, seal(content, token)));
}

function seal(content: string, { token }: NamedToken): string {
  const key = createHmac('sha256', token).update('redrive session').digest();
  return createHmac('sha256', key).update(content).digest('base64url');
}
