import { join } from 'node:path';
import { afterAll, describe, vi } from 'vitest';
import { haveTools } from '../support/tools.js';
import { storageContract } from './support/contract.js';
import { opened } from './support/opened.js';
import { startRsyncd, startSshd } from './support/rsync-peers.js';

afterAll(() => vi.unstubAllEnvs());

describe.skipIf(!haveTools('rsync', 'ssh', 'sshd'))('rsync over ssh', () => {
  storageContract('rsync over ssh', async (dir) => {
    const sshd = await startSshd(join(dir, 'sshd'));
    vi.stubEnv('RSYNC_RSH', sshd.ssh);
    const target = `127.0.0.1:${join(dir, 'not/there/yet')}`;
    return { storage: await opened(target), other: await opened(target), end: sshd.end };
  });
});

describe.skipIf(!haveTools('rsync'))('an rsync daemon', () => {
  storageContract('an rsync daemon', async (dir) => {
    const daemon = await startRsyncd(join(dir, 'rsyncd'));
    const target = `rsync://127.0.0.1:${daemon.port}/mirror/not/there/yet`;
    return { storage: await opened(target), other: await opened(target), end: daemon.end };
  });
});
