import { once } from 'node:events';
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { join, normalize } from 'node:path';

/**
 * Serves a directory on loopback, in the bench's own process: what that costs is not counted. `sentBytes` counts bodies since
 * it was called last.
 * @param {string} directory
 */
export async function serveDirectory(directory) {
  let bytes = 0;
  const server = createServer((request, response) => {
    const path = join(
      directory,
      normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname)),
    );
    const size = statSync(path, { throwIfNoEntry: false })?.size;
    if (size === undefined) return void response.writeHead(404).end();
    response.writeHead(200, { 'content-length': size });
    bytes += size;
    createReadStream(path).pipe(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a port, found none');
  return {
    url: `http://127.0.0.1:${address.port}`,
    sentBytes() {
      const sent = bytes;
      bytes = 0;
      return sent;
    },
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
