import { z } from '@hono/zod-openapi';
import { HttpFault } from '../http-fault.ts';
import { operation, type Operation } from '../operation.ts';
import type { ResolvedHttp } from '../options.ts';
import { sealSession, sessionCookie, sessionSeconds } from '../security/session-cookie.ts';
import { time } from '../schemas/values.ts';

/** A browser's way in: trades a token for a cookie. */
export function session({ basePath, tokens, clock, readOnly }: ResolvedHttp): readonly Operation[] {
  const path = '/api/v1/session';
  const attributes = `Path=${basePath === '' ? '/' : basePath}; HttpOnly; SameSite=Strict`;
  return [
    operation({
      id: 'showSession',
      method: 'get',
      path,
      tag: 'Service',
      summary: 'Who you are, and what you may do',
      answer: z.object({ by: z.string(), readOnly: z.boolean() }),
      answerDescription: 'The caller.',
      handle: async ({ by }) => ({ by, readOnly }),
    }),
    operation({
      id: 'openSession',
      method: 'post',
      path,
      tag: 'Service',
      summary: 'Trade the token for a cookie',
      description:
        'For browsers, which cannot put a header on every request. The cookie is HttpOnly and SameSite=Strict, and ends after 12 hours.',
      answer: z.object({ by: z.string(), expiresAt: time }),
      answerDescription: 'The cookie is in the `Set-Cookie` header.',
      headers: { 'Set-Cookie': 'The cookie.' },
      async handle({ bearer, isSecure, header }) {
        const token = tokens.find(({ name }) => name === bearer);
        if (token === undefined)
          throw new HttpFault('AUTHENTICATION_REQUIRED', 'A session is opened with the header Authorization: Bearer TOKEN');
        const now = clock.now();
        const value = `${sessionCookie}=${sealSession(token, now)}; ${attributes}; Max-Age=${sessionSeconds}`;
        header('Set-Cookie', isSecure ? `${value}; Secure` : value);
        return { by: token.name, expiresAt: new Date(now + sessionSeconds * 1_000).toISOString() };
      },
    }),
    operation({
      id: 'closeSession',
      method: 'delete',
      path,
      tag: 'Service',
      summary: 'Give the cookie back',
      answer: z.object({ by: z.string() }),
      answerDescription: 'The cookie is gone.',
      headers: { 'Set-Cookie': 'Removes the cookie.' },
      async handle({ by, header }) {
        header('Set-Cookie', `${sessionCookie}=; ${attributes}; Max-Age=0`);
        return { by };
      },
    }),
  ];
}
