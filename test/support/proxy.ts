import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Stands between a program and a server, and fails as networks and restarting servers do. */
export class Proxy {
  /** How many conversations were cut. */
  cuts = 0;
  private server: Server | undefined;
  private readonly pairs = new Set<readonly [Socket, Socket]>();
  private lostReplyOf: string | undefined;

  private constructor(
    private readonly target: { readonly host: string; readonly port: number },
    public port: number,
  ) {}

  static async to(target: { readonly host: string; readonly port: number }): Promise<Proxy> {
    const proxy = new Proxy(target, 0);
    await proxy.up();
    onTestFinished(() => proxy.down());
    return proxy;
  }

  /** Takes connections again, on the same port. */
  async up(): Promise<void> {
    const server = createServer((client) => this.join(client));
    this.server = server;
    await new Promise<void>((resolve) => void server.listen(this.port, '127.0.0.1', resolve));
    this.port = (server.address() as AddressInfo).port;
  }

  /** Cuts every connection, and refuses new ones. */
  async down(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    this.cut();
    if (server !== undefined) await new Promise<void>((resolve) => void server.close(() => resolve()));
  }

  /** Cuts every connection; new ones are taken. */
  cut(): void {
    for (const [client, upstream] of this.pairs) {
      client.destroy();
      upstream.destroy();
      this.cuts += 1;
    }
    this.pairs.clear();
  }

  /** Passes the next message that contains this text on, and cuts its connection before the reply arrives. */
  loseReplyOf(text: string): void {
    this.lostReplyOf = text;
  }

  private join(client: Socket): void {
    const upstream = connect(this.target);
    const pair = [client, upstream] as const;
    this.pairs.add(pair);
    for (const socket of pair) socket.on('error', () => undefined);
    let isLost = false;
    client.on('data', (data) => {
      if (this.lostReplyOf !== undefined && data.includes(this.lostReplyOf)) {
        this.lostReplyOf = undefined;
        isLost = true;
      }
      upstream.write(data);
    });
    upstream.on('data', (data) => {
      if (!isLost) return void client.write(data);
      this.cuts += 1;
      client.destroy();
    });
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => {
      client.destroy();
      this.pairs.delete(pair);
    });
  }
}
