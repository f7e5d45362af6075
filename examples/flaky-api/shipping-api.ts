import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the API answers to one order after the other time; the last answer repeats. */
const badDay: Readonly<Record<string, readonly number[]>> = {
  '/1001': [503, 503, 200],
  '/1002': [429, 200],
  '/1003': [500],
};

/** A server of this process that stands for somebody else's API. */
export class ShippingApi {
  private readonly calls = new Map<string, number>();
  private isDown = true;
  private readonly server: Server = createServer((request, response) => {
    const path = request.url ?? '/';
    const call = this.calls.get(path) ?? 0;
    this.calls.set(path, call + 1);
    const status = this.isDown ? (badDay[path]?.[call] ?? badDay[path]?.at(-1) ?? 404) : 200;
    response.writeHead(status, { 'content-type': 'text/plain', connection: 'close', ...(status === 429 ? { 'retry-after': '0.5' } : {}) });
    response.end(status === 200 ? 'shipped' : 'sorry');
  });

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  open(): Promise<void> {
    return new Promise((resolve) => void this.server.listen(0, '127.0.0.1', resolve));
  }

  recover(): void {
    this.isDown = false;
  }

  close(): Promise<void> {
    return new Promise((resolve) => void this.server.close(() => resolve()));
  }
}
