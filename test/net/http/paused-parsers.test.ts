import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { connectionTo } from '../../../src/net/http/connection.js';
import { listening } from '../../support/listening.js';

/** What is buffered, and no more than that, so that the end of the connection is seen while the reader is behind. */
const BYTES = 65_536;

test.each([
  ['says how long the answer is', `Content-Length: ${BYTES}\r\n`],
  ['lets the end of the connection end the answer', ''],
])('a server that %s and closes the connection is read to the end by who is slow', async (_, length) => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\n${length}Connection: close\r\n\r\n`);
      socket.end(Buffer.alloc(BYTES, 7));
    });
  });
  onTestFinished(() => void server.close());
  const port = await listening(server);
  const dispatcher = await connectionTo({ loopback: true });
  onTestFinished(() => dispatcher.destroy());
  const { body } = await dispatcher.request({ origin: `http://127.0.0.1:${port}`, path: '/', method: 'GET' });
  await sleep(200);
  let bytes = 0;
  for await (const piece of body) bytes += piece.length;
  expect(bytes).toBe(BYTES);
});
