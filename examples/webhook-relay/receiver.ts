import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Random } from './deliveries.ts';

/** `troubled`: as customers' endpoints are on a bad day. `repaired`: everything answers. */
export type Mood = 'troubled' | 'repaired';

type Answer = (request: IncomingMessage, response: ServerResponse) => unknown;

const accept: Answer = (_request, response) => response.writeHead(204).end();
const crash: Answer = (_request, response) => json(response, 500, { error: 'internal error' });
const busy: Answer = (_request, response) => json(response, 429, { error: 'too many requests' }, { 'retry-after': '1' });
const drop: Answer = (request) => request.socket.destroy();
const hang: Answer = () => undefined;

/** Endpoints that have a trouble of their own, whoever delivers whatever however often. */
const broken: Readonly<Record<string, Answer>> = {
  'old.stark.example': (_request, response) => json(response, 410, { error: 'this endpoint was removed' }),
  'forms.wayne.example': (_request, response) => json(response, 422, { error: 'unknown field', field: 'payload.currency' }),
  'ledger.hooli.example': hang,
  'crm.umbrella.example': crash,
};

/** How much of what is sent to a broken endpoint meets its trouble, of 100; the rest fares like everybody else's. */
const trouble = 35;

/**
 * All customers' endpoints in one local server; the first part of the path is the customer's host.
 * What an attempt meets depends on the delivery and on how often it came, so two runs fare alike.
 */
export class Receiver {
  /** Requests that reached the server, answered or not. */
  requests = 0;
  private readonly seen = new Map<string, number>();
  private readonly server: Server;
  private listening: Promise<string> | undefined;

  constructor(private readonly mood: Mood) {
    this.server = createServer((request, response) => void this.answer(request, response));
  }

  /** Starts the server on a free port of 127.0.0.1, at the first call. It does not keep the process alive. */
  url(): Promise<string> {
    return (this.listening ??= this.listen());
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private async listen(): Promise<string> {
    this.server.listen(0, '127.0.0.1').unref();
    await once(this.server, 'listening');
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests += 1;
    request.resume();
    const delivery = String(request.headers['x-delivery']);
    const visit = (this.seen.get(delivery) ?? 0) + 1;
    this.seen.set(delivery, visit);
    const fate = new Random(hash(`${delivery} ${visit}`));
    await pause(this.mood === 'repaired' ? 20 : 120 + fate.below(480), undefined, { ref: false });
    this.choose(request.url ?? '/', delivery, fate)(request, response);
  }

  private choose(path: string, delivery: string, fate: Random): Answer {
    if (this.mood === 'repaired') return accept;
    const host = path.split('/')[1] ?? '';
    const own = broken[host];
    if (own !== undefined && new Random(hash(delivery)).below(100) < trouble) return own;
    const dice = fate.below(100);
    if (dice < 10) return crash;
    if (dice < 17) return busy;
    if (dice < 22) return drop;
    if (dice < 27) return hang;
    return accept;
  }
}

function json(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const character of text) value = Math.imul(value ^ character.charCodeAt(0), 0x01000193);
  return value | 0;
}
