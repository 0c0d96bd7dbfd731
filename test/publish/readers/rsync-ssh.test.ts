import { join } from 'node:path';
import { describe } from 'vitest';
import { startStaticNginx } from '../../peers/nginx.mjs';
import { haveTools } from '../../support/tools.js';
import { overHttp } from '../support/reader.js';
import { READER_TOOLS, readersSuite } from '../support/readers.js';
import { startSshd } from '../support/rsync-peers.js';

describe.skipIf(!haveTools(...READER_TOOLS, 'rsync', 'ssh', 'sshd', 'nginx'))('rsync over ssh', () => {
  readersSuite('what rsync over ssh brings, as nginx serves it', async (dir) => {
    const sshd = await startSshd(join(dir, 'sshd'));
    const nginx = await startStaticNginx(dir);
    return {
      target: `127.0.0.1:${nginx.root}`,
      env: { RSYNC_RSH: sshd.ssh },
      fetch: overHttp(nginx.url),
      end: async () => {
        await nginx.stop();
        await sshd.end();
      },
    };
  });
});
