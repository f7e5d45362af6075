import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { webhook, type WebhookOptions } from '../../../interceptors/failure-alerts/index.ts';
import type { AlertEvent } from '../../../src/interceptor/points.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';

const alert: AlertEvent = {
  eventId: 'event-1',
  at: new Date('2026-01-01T00:00:00Z'),
  rule: { name: 'many', failures: 100, within: 3_600, cooldown: 3_600 },
  count: 101,
  window: { from: new Date('2025-12-31T23:00:00Z'), to: new Date('2026-01-01T00:00:00Z') },
  groups: [],
  silentUntil: new Date('2026-01-01T01:00:00Z'),
  redelivered: false,
};

type Answer = number | 'no answer' | 'no network';

/** A webhook whose receiver answers as the test says, one answer a try. */
function answering(answers: readonly Answer[], options: Partial<WebhookOptions> = {}) {
  const clock = new VirtualClock();
  const tries: number[] = [];
  const started = clock.now();
  const post: typeof fetch = (_url, init) => {
    const answer = answers[tries.length] ?? 200;
    tries.push(clock.now() - started);
    if (answer === 'no network') return Promise.reject(new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } }));
    if (answer === 'no answer')
      return new Promise((_resolve, reject) => init?.signal?.addEventListener('abort', () => reject(new Error('aborted'))));
    return Promise.resolve(new Response(answer === 204 ? null : 'thanks', { status: answer }));
  };
  const notify = webhook({ url: 'https://hooks.example/T0KEN', fetch: post, clock, ...options });
  const told = Promise.resolve(notify(alert)).then(
    () => 'told',
    (error: Error) => error.message,
  );
  return { clock, tries, told };
}

describe('webhook', () => {
  it('posts an alert as JSON, with its event id as the key of idempotency', async () => {
    const received: { request: IncomingMessage; body: string }[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        received.push({ request, body });
        response.end();
      });
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    await webhook({ url: `http://127.0.0.1:${port}/alerts`, headers: { authorization: 'Bearer t' } })(alert);
    const [{ request, body } = { request: undefined, body: '' }] = received;
    expect(request).toMatchObject({ method: 'POST', url: '/alerts' });
    expect(request?.headers).toMatchObject({
      'content-type': 'application/json',
      'idempotency-key': 'event-1',
      authorization: 'Bearer t',
    });
    expect(JSON.parse(body)).toEqual(JSON.parse(JSON.stringify(alert)));
  });

  it('posts what it is told to make of the alert', async () => {
    const bodies: unknown[] = [];
    const post: typeof fetch = async (_url, init) => {
      bodies.push(init?.body);
      return new Response();
    };
    await webhook({ url: 'https://hooks.example', fetch: post, body: ({ rule, count }) => ({ text: `${rule.name}: ${count}` }) })(alert);
    expect(bodies).toEqual(['{"text":"many: 101"}']);
  });

  it('tries again after what may pass, each time later, and then gives up', async () => {
    const { clock, tries, told } = answering([503, 429, 'no network', 500, 200]);
    await clock.advance('1m');
    expect(await told).toBe('The webhook at hooks.example was not told of the alert "many": it answered 500');
    expect(tries).toEqual([0, 1_000, 3_000, 7_000]);
  });

  it.each<[Answer, string]>([
    [200, 'told'],
    [204, 'told'],
    [400, 'it answered 400'],
    [404, 'it answered 404'],
    [302, 'it answered 302'],
  ])('does not try again after %s', async (answer, end) => {
    const { clock, tries, told } = answering([answer]);
    await clock.advance('1m');
    expect(await told).toContain(end);
    expect(tries).toHaveLength(1);
  });

  it('waits no longer for an answer than it is told to', async () => {
    const { clock, tries, told } = answering(['no answer', 'no answer', 200], { timeout: '2s', retries: 1 });
    await clock.advance('1m');
    expect(await told).toContain('it did not answer within 2000 ms');
    expect(tries).toEqual([0, 3_000]);
  });

  it('with its defaults is done within the interceptor timeout', async () => {
    const { clock, told } = answering(['no answer', 'no answer', 'no answer', 'no answer']);
    await clock.advance('29s');
    expect(await told).toContain('was not told');
  });

  it('keeps what is secret in its URL out of what it throws', async () => {
    const { clock, told } = answering([403]);
    await clock.advance('1m');
    expect(await told).not.toContain('T0KEN');
  });

  it.each(['', 'hooks.example/x', 'ftp://hooks.example', undefined])('refuses %j as a URL', (url) => {
    expect(() => webhook({ url: url as string })).toThrow(expect.objectContaining({ code: 'OPTIONS_INVALID' }));
  });

  it('refuses retries that are none, and durations that are none', () => {
    expect(() => webhook({ url: 'https://hooks.example', retries: -1 })).toThrow(expect.objectContaining({ code: 'OPTIONS_INVALID' }));
    expect(() => webhook({ url: 'https://hooks.example', timeout: 'soon' })).toThrow(expect.objectContaining({ code: 'DURATION_INVALID' }));
  });
});
