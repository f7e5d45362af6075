// What the examples of mounting do with the server they have made: look at what failed, put it back, and look again.
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Shop } from './shop.ts';

/** Shows that the shop answers, and Redrive below it; then closes both. */
export async function visit(shop: Shop, server: Server, { basePath, token }: { basePath: string; token: string }): Promise<void> {
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ask = async (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${origin}${basePath}${path}`, { ...init, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' } });

  say(`The shop itself:       ${await (await fetch(`${origin}/`)).text()}`);
  say(`Without the token:     ${(await fetch(`${origin}${basePath}/api/v1/jobs/failed`)).status}`);

  const [failed] = (await (await ask('/api/v1/jobs/failed')).json()) as readonly Failed[];
  if (failed === undefined) throw new Error('nothing has failed');
  say(`What failed:           ${failed.func_name}: ${failed.exc_info.split('\n', 1).join('')}`);

  shop.fill();
  const retried = await ask(`/api/v1/jobs/failed/${failed.job_id}/retry`, { method: 'POST', body: JSON.stringify({ by: 'alice' }) });
  say(`Put back:              ${retried.status}`);
  await shop.redrive.idle();
  const status = (await (await ask(`/api/v1/jobs/status/${failed.job_id}`)).json()) as Status;
  say(`What became of it:     ${status.status}: ${status.result}`);
  const { items } = (await (await ask('/api/v1/audit')).json()) as { readonly items: readonly Act[] };
  say(`Who did what:          ${items.map(({ by, action, count }) => `${by} ${action} ${count}`).join(', ')}`);
  say(`Its page, for people:  ${basePath}/docs, ${(await ask('/docs')).status}`);

  server.close();
  server.closeAllConnections();
  await shop.redrive.stop();
}

interface Failed {
  readonly job_id: string;
  readonly func_name: string;
  readonly exc_info: string;
}

interface Status {
  readonly status: string;
  readonly result: string;
}

interface Act {
  readonly by: string;
  readonly action: string;
  readonly count: number;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
