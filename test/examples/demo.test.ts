import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtClone } from '../scaffold/packed-package.ts';
import { skipIfSmall } from '../support/size.ts';

const run = promisify(execFile);
const deliveries = 40;

let clone: string | undefined;
let screen: string;

beforeAll(async () => {
  clone = await builtClone();
  screen = await demo(deliveries);
}, 120_000);

afterAll(() => clone && rm(clone, { recursive: true, force: true }));

async function demo(count: number): Promise<string> {
  const jiti = join(clone!, 'node_modules/jiti/lib/jiti-cli.mjs');
  const { stdout, stderr } = await run(process.execPath, [jiti, 'examples/webhook-relay/demo.ts'], {
    cwd: clone,
    env: { ...process.env, DEMO_DELIVERIES: String(count), NO_COLOR: '1' },
  });
  expect(stderr).toBe('');
  return stdout;
}

/** Runs one of the printed commands in the clone: `npx` as printed, or the command it resolves to, which saves seconds each time. */
async function shell(command: string, how: 'as printed' | 'directly' = 'directly'): Promise<string> {
  const line = how === 'directly' ? command.replace('npx redrive', 'node dist/bin/redrive.js') : command;
  const env = { ...process.env, npm_config_cache: join(clone!, '.redrive/npm'), NO_COLOR: '1' };
  return (await run('bash', ['-c', line], { cwd: clone, env })).stdout;
}

function printed(start: string): string {
  const found = screen.split('\n').find((line) => line.trim().startsWith(`npx redrive ${start}`));
  return found?.trim() ?? expect.fail(`no "npx redrive ${start}" in:\n${screen}`);
}

describe('the webhook relay', () => {
  test('ends by itself with counts that add up', () => expectCountsThatAddUp(deliveries));

  test('fits a terminal of 80 columns, and draws nothing where there is none', () => {
    expect(screen.split('\n').filter((line) => line.length > 80 && !line.includes('npx redrive'))).toEqual([]);
    // oxlint-disable-next-line no-control-regex -- escape sequences are what must not be there
    expect(screen).not.toMatch(/[\r\u001b]/);
  });

  test('prints commands that look at a failed job, retry it, and work it until it is resolved', async ({ skip }) => {
    skipIfSmall(skip);
    const show = printed('failed show');
    const id = /show (\d+)/.exec(show)![1]!;
    expect(await shell(printed('failed --database'))).toContain('webhooks.deliver');
    expect(await shell(show, 'as printed')).toMatch(/webhooks\.deliver[\s\S]*(?:answered|timeout)/);
    expect(await shell(printed(`retry ${id}`))).toContain('Re-queued 1 job(s).');
    await shell(printed('work --once'));
    expect(JSON.parse(await shell(`${show} --json`))).toMatchObject({ id: Number(id), status: 'resolved' });
  }, 180_000);

  test('prints commands that retry and work all the others', async ({ skip }) => {
    skipIfSmall(skip);
    await shell(printed('retry --all'));
    await shell(printed('work --stop-when-empty'));
    expect(JSON.parse(await shell(`${printed('failed --database')} --json`))).toEqual({ items: [] });
  }, 180_000);

  test('runs again where it ran before', async ({ skip }) => {
    skipIfSmall(skip);
    screen = await demo(10);
    expectCountsThatAddUp(10);
  }, 180_000);
});

function expectCountsThatAddUp(count: number): void {
  const numbers = (pattern: RegExp): number[] => pattern.exec(screen)?.slice(1).map(Number) ?? expect.fail(screen);
  const [delivered, failed, total] = numbers(/(\d+) delivered \+ (\d+) failed = (\d+) deliveries/);
  expect(delivered! + failed!).toBe(total);
  expect(total).toBe(count);
  const [successful, unsuccessful, attempts] = numbers(/(\d+) successful \+ (\d+) failed = (\d+) attempts/);
  expect(successful! + unsuccessful!).toBe(attempts);
  expect(successful).toBe(delivered);
  const groups = [...screen.matchAll(/^ {2}(\d+) +(?:exception|timeout) /gm)].map(([, count]) => Number(count));
  expect(groups.reduce((sum, count) => sum + count, 0)).toBe(failed);
}
