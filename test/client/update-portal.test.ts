import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { listening } from '../support/listening.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { haveTools } from '../support/tools.js';
import { startFaultyServer } from './support/faulty-server.js';
import { buildMirrorOf, currentBytes, deviceWith, filesOf, updateTo, versionIn } from './support/updates.js';

/** A server that has the same page for everything, until the running test is over. */
async function startPortal(): Promise<{ readonly url: string; readonly asked: string[] }> {
  const asked: string[] = [];
  const server = createServer(({ url = '' }, response) => {
    asked.push(url);
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end('<!DOCTYPE html><title>Welcome</title>');
  });
  const port = await listening(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${port}`, asked };
}

describe.skipIf(!haveTools('cksum'))('a captive portal in place of the first mirror', () => {
  test('is told of, and the second one brings the device up to date', async () => {
    const dir = await temporaryDirectory();
    const mirror = await buildMirrorOf(2, dir, 'neighbours');
    const [base = '', target = ''] = mirror.images;
    const channel = { format: 1, series: 'puavo-os-test-bookworm-amd64', version: versionIn(target) };
    const files = new Map(filesOf(mirror)).set('channels/stable.json', Buffer.from(JSON.stringify(channel)));
    const [portal, server] = [await startPortal(), await startFaultyServer({ files, random: () => 0.5 })];
    const device = await deviceWith(join(dir, 'device'), base);
    const policy = { target: { kind: 'channel', path: 'channels/stable.json' } } as const;
    const { summary, events } = await updateTo(
      versionIn(target),
      device,
      { urls: [portal.url, server.url] },
      { policy },
    );
    expect(summary.changed).toBe(true);
    expect(currentBytes(device).equals(readFileSync(target))).toBe(true);
    // After the first answer it rests behind the other one.
    expect(portal.asked).toEqual(['/index.json']);
    const message = expect.stringMatching(/^http.*\/index\.json: expected JSON, found .*; going on with http/);
    expect(events).toContainEqual(expect.objectContaining({ type: 'note', message }));
  });
});
