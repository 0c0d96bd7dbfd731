import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { listening } from '../../support/listening.js';

/** A line to a port of this machine that a test can watch, stop and cut. */
export interface SlowLine {
  readonly port: number;
  /** Bytes that went to the server. */
  sentBytes(): number;
  /** Resolves when `count` bytes have gone to the server; from then on nothing more does. */
  stallAfter(count: number): Promise<void>;
  /** Lets so many bytes a second through to the server. */
  trickle(bytesPerSecond: number): void;
  /** Resolves when nobody is connected any more. */
  untilIdle(): Promise<void>;
  /** Lets everything through again; whoever is connected now is not any more. */
  cut(): void;
  end(): Promise<void>;
}

/** Passes on what comes to a port of its own. */
export async function slowLineTo(port: number): Promise<SlowLine> {
  const sockets = new Set<Socket>();
  const idle: (() => void)[] = [];
  let sentBytes = 0;
  let limit = Number.POSITIVE_INFINITY;
  let msPerByte = 0;
  let reached: () => void = () => undefined;

  const goOn = (client: Socket): void => {
    if (sentBytes < limit) client.resume();
  };
  const server = createServer((client) => {
    const target = connect(port, '127.0.0.1');
    for (const [socket, other] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        other.destroy();
        sockets.delete(socket);
        if (sockets.size === 0) for (const tell of idle.splice(0)) tell();
      });
    }
    target.on('data', (bytes) => client.write(bytes));
    client.on('data', (bytes) => {
      sentBytes += bytes.length;
      client.pause();
      target.write(bytes, () => setTimeout(goOn, bytes.length * msPerByte, client));
      if (sentBytes >= limit) reached();
    });
  });
  const ownPort = await listening(server);

  const cut = (): void => {
    limit = Number.POSITIVE_INFINITY;
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: ownPort,
    sentBytes: () => sentBytes,
    stallAfter: (count) => {
      limit = sentBytes + count;
      return new Promise((resolve) => {
        reached = resolve;
      });
    },
    trickle: (bytesPerSecond) => {
      msPerByte = 1000 / bytesPerSecond;
      limit = Number.POSITIVE_INFINITY;
      for (const socket of sockets) socket.resume();
    },
    untilIdle: () => (sockets.size === 0 ? Promise.resolve() : new Promise((resolve) => idle.push(resolve))),
    cut,
    end: async () => {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
