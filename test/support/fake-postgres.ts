import { createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** What the fake answers: an error to whoever connects, or rows to every query, by what its text contains. */
export interface FakeAnswers {
  /** Ends every conversation before it begins. */
  readonly hangsUp?: boolean;
  readonly refuses?: { readonly code: string; readonly message: string };
  readonly rows?: readonly (readonly [textContains: string, row: Readonly<Record<string, string>>])[];
}

/** A server that speaks as much of PostgreSQL's protocol as it takes to look like a version, or a refusal, that no server here is. Returns its port. */
export async function fakePostgres(answers: FakeAnswers): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    let isStarted = false;
    socket.on('data', (data) => {
      for (let rest = data; rest.length > 0;) {
        // A message without a type letter begins the conversation.
        const length = rest.readInt32BE(isStarted ? 1 : 0) + (isStarted ? 1 : 0);
        const message = rest.subarray(0, length);
        rest = rest.subarray(length);
        if (!isStarted) start(socket, answers);
        else if (message.toString('latin1', 0, 1) === 'Q') reply(socket, answers, message.toString('utf8', 5, length - 1));
        isStarted = true;
      }
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

function start(socket: Socket, { refuses, hangsUp }: FakeAnswers): void {
  if (hangsUp === true) return void socket.end();
  if (refuses === undefined) return void socket.write(Buffer.concat([message('R', int32(0)), ready]));
  const fields = `SFATAL\0C${refuses.code}\0M${refuses.message}\0\0`;
  socket.end(message('E', Buffer.from(fields)));
}

function reply(socket: Socket, { rows = [] }: FakeAnswers, text: string): void {
  const row = rows.find(([part]) => text.includes(part))?.[1] ?? {};
  const names = Object.keys(row);
  const description = names.map((name) =>
    Buffer.concat([Buffer.from(`${name}\0`), Buffer.alloc(6), int32(25), Buffer.from([255, 255]), int32(-1), Buffer.alloc(2)]),
  );
  const values = Object.values(row).map((value) => Buffer.concat([int32(Buffer.byteLength(value)), Buffer.from(value)]));
  const count = Buffer.from([0, names.length]);
  socket.write(
    Buffer.concat([message('T', count, ...description), message('D', count, ...values), message('C', Buffer.from('SELECT 1\0')), ready]),
  );
}

function message(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
}

const ready = message('Z', Buffer.from('I'));
