import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fingerprintOf } from '../../src/record/fingerprint.ts';
import { normaliseMessage } from '../../src/record/normalise-message.ts';
import { seededRandom } from '../support/random.ts';
import { bySize } from '../support/size.ts';
import { causes, materialOf, type Material } from './real-causes.ts';

// Recorded webhooks, one a line: { event, file, payload }. They are not part of the repository; a few made-up ones are.
const recorded = new URL(process.env['WEBHOOKS'] ?? '../../../shared/data/webhooks.jsonl', import.meta.url);
const made = new URL('../fixtures/webhooks.jsonl', import.meta.url);

function read(file: URL): Material {
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return materialOf(lines.map((line) => (JSON.parse(line) as { payload: unknown }).payload));
}

/** Fails so many jobs, of one cause after the other, and returns the messages by cause and fingerprint. */
function fail(material: Material, count: number): readonly ReadonlyMap<string, string>[] {
  const random = seededRandom(42);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const prints = causes.map(() => new Map<string, string>());
  for (let index = 0; index < count; index += 1) {
    const cause = causes[index % causes.length]!;
    const message = cause.message(pick, material);
    const { job, type } = cause;
    const fingerprint = fingerprintOf({ job, exception: { type, message, stack: `${type}: ${message}\n    at ${cause.at}` } });
    const own = prints[index % causes.length]!;
    if (!own.has(fingerprint)) own.set(fingerprint, message);
  }
  return prints;
}

function expectTwelve(prints: readonly ReadonlyMap<string, string>[]): void {
  // What a cause fell apart into is said, normalised, so that it can be mended.
  const apart = prints.map((own) => [...own.values()].map(normaliseMessage)).filter((messages) => messages.length > 1);
  expect(apart.map((messages) => messages.slice(0, 5))).toEqual([]);
  expect(new Set(prints.flatMap((own) => [...own.keys()])).size).toBe(causes.length);
}

describe('F35 twelve causes whose messages are full of what webhooks hold', () => {
  it('F35 are twelve groups, with made-up webhooks', () => {
    expectTwelve(fail(read(made), 2_400));
  });

  it('F35 are twelve groups, with recorded webhooks', ({ skip }) => {
    if (!existsSync(recorded)) skip('the recorded webhooks (../shared/data/webhooks.jsonl beside the repository) are not there');
    expectTwelve(fail(read(recorded), bySize(6_000, 12_000, 100_000)));
  });
});
