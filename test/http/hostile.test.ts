import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { bySize } from '../support/size.ts';
import { Contract } from './contract.ts';
import { charge, ping, setup, type Scene } from './scene.ts';

// Whatever a client sends: an answer that the document tells of, and never a fault of ours.

const numRuns = bySize(60, 150, 2_000);

let scene: Scene;
let contract: Contract;

async function fresh(): Promise<void> {
  scene = await setup();
  await scene.failed(charge, 3, { card: { number: 42 } });
  await scene.redrive.dispatch(ping);
  contract ??= new Contract((await scene.get('/openapi.json')).body);
}

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.constantFrom(
    '',
    ' ',
    '0',
    '1',
    '-1',
    '1e9',
    '%00',
    '\0',
    '../..',
    "'",
    '"',
    '`',
    '; DROP TABLE redrive_jobs',
    '%',
    '_',
    '\\',
    'null',
    'undefined',
  ),
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    '24h',
    '2026-02-30',
    '1970-01-01',
    '+275760-09-13',
    '\ud800',
    '💥'.repeat(20),
  ),
  fc.nat().map(String),
);
const json = fc.oneof(
  { depthSize: 'medium' },
  fc.json(),
  fc.jsonValue().map((value) => JSON.stringify(value)),
  text,
);

describe('hostile', () => {
  beforeEach(fresh);

  it('paths', async () => {
    const base = fc.constantFrom(
      '/api/v1/jobs/failed/',
      '/api/v1/jobs/status/',
      '/api/v1/queues/',
      '/api/v1/',
      '/',
      '/docs/',
      '/api/v1/bulk-retries/',
    );
    const tail = fc.constantFrom('', '/retry', '/pause', '/resume', '/edit-and-retry', '/resolve', '/', '//', '?');
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('GET', 'POST', 'DELETE', 'PUT', 'PATCH'), base, text, tail, async (method, head, id, end) => {
        const isEncoded = !/\p{Cs}/u.test(id);
        const { status } = await scene.call(method, `${head}${isEncoded ? encodeURIComponent(id) : id}${end}`);
        expect(status).toBeLessThan(500);
      }),
      { numRuns },
    );
  });

  it('paths that are not even encoded', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: fc.constantFrom('%', '/', '.', '\\', '0', 'f', '?', '#', '&', '=', ';', 'a'), maxLength: 30 }),
        async (path) => {
          const { status } = await scene.call('GET', `/api/v1/jobs/failed/${path}`);
          expect(status).toBeLessThan(500);
        },
      ),
      { numRuns },
    );
  });

  it('queries', async () => {
    const keys = fc.oneof(
      fc.constantFrom(
        'ids',
        'job',
        'queue',
        'type',
        'kind',
        'fingerprint',
        'text',
        'since',
        'until',
        'status',
        'release',
        'limit',
        'cursor',
        'order',
        'by',
      ),
      text,
    );
    const paths = ['/api/v1/jobs/failed', '/api/v1/jobs/stats', '/api/v1/audit', '/api/v1/jobs/failed/groups', '/api/v1/jobs/failed/stats'];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), fc.array(fc.tuple(keys, text), { maxLength: 4 }), async (path, pairs) => {
        const answer = await scene.get(`${path}?${new URLSearchParams(pairs).toString()}`);
        expect(answer.status).toBeLessThan(500);
        const operation = contract.operations.find((one) => one.method === 'GET' && one.path === path);
        if (operation !== undefined) contract.check(operation, answer);
      }),
      { numRuns },
    );
  });

  it('bodies, which change nothing unless they are right', async () => {
    const posts = contract.operations.filter(({ body }) => body !== undefined);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...posts), json, async (operation, body) => {
        const path = operation.path.replace('{job_id}', '1').replace('{name}', 'mail').replace('{id}', '1');
        const answer = await scene.call('POST', path, { body, headers: { 'content-type': 'application/json' } });
        expect(answer.status).toBeLessThan(500);
        contract.check(operation, answer);
      }),
      { numRuns },
    );
  });

  it('values at the keys of a body', async () => {
    const posts = contract.operations.filter(({ body }) => body !== undefined);
    const cases = posts.flatMap((operation) => Object.keys(operation.body!).map((key) => [operation, key] as const));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...cases), fc.oneof(fc.jsonValue(), text), async ([operation, key], value) => {
        const path = operation.path.replace('{job_id}', '2').replace('{name}', 'mail').replace('{id}', '1');
        const answer = await scene.post(path, { [key]: value });
        expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(500);
        contract.check(operation, answer);
      }),
      { numRuns },
    );
  });

  it('a body nested a hundred thousand deep, and keys that mean something to JavaScript', async () => {
    for (const operation of contract.operations.filter(({ body }) => body !== undefined)) {
      const path = operation.path.replace('{job_id}', '3').replace('{name}', 'mail').replace('{id}', '1');
      for (const body of [
        '['.repeat(100_000) + ']'.repeat(100_000),
        `${'{"properties":'.repeat(50_000)}1${'}'.repeat(50_000)}`,
        `{"filter":${'{"ids":['.repeat(20_000)}1${']}'.repeat(20_000)}}`,
        '{"__proto__":{"by":"x"}}',
        '{"constructor":{"prototype":{"by":"x"}}}',
        '{"filter":{"__proto__":{"job":"x"}}}',
      ]) {
        const answer = await scene.call('POST', path, { body, headers: { 'content-type': 'application/json' } });
        expect(answer.status, `${operation.path}: ${body.slice(0, 60)}`).toBe(400);
        contract.check(operation, answer);
      }
    }
    expect(({} as { by?: unknown }).by).toBeUndefined();
  });

  it('headers', async () => {
    const names = [
      'host',
      'origin',
      'sec-fetch-site',
      'authorization',
      'cookie',
      'content-type',
      'content-length',
      'x-forwarded-proto',
      'accept',
    ];
    const value = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)), maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('GET', 'POST'), fc.constantFrom(...names), value, async (method, name, given) => {
        const { status } = await scene.call(method, '/api/v1/jobs/failed/1', { headers: { [name]: given } });
        expect(status).toBeLessThan(500);
      }),
      { numRuns },
    );
  });
});
