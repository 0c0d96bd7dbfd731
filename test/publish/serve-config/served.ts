import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WebServer } from '../../../src/publish/serve-config/render.js';
import { startApache } from '../../peers/apache.mjs';
import { startNginx } from '../../peers/nginx.mjs';
import { startServer } from '../../peers/server-process.mjs';

type Start = (dir: string, port: number, config: string) => Promise<() => Promise<void>>;

/** Starts a server with the configuration that is printed for it, where packing is otherwise switched on. */
export const startServed: Readonly<Record<WebServer, Start>> = {
  nginx: (dir, port, config) => startNginx(dir, port, `gzip on; gzip_types *; gzip_min_length 1;\n${config}`),
  apache: (dir, port, config) =>
    startApache(
      dir,
      port,
      `Listen 127.0.0.1:${port}
<IfModule deflate_module>
AddOutputFilterByType DEFLATE text/plain application/json application/octet-stream
</IfModule>
TypesConfig /dev/null
AddEncoding zstd .zst
${config}`,
      ['authz_core', 'alias', 'headers', 'setenvif', 'socache_shmcb', 'ssl', 'dir', 'mime', 'filter', 'deflate'],
    ),
  caddy: (dir, port, config) => {
    // All would listen for their administrator on the same port.
    writeFileSync(join(dir, 'Caddyfile'), config.replace('{\n', '{\n\tadmin off\n'));
    return startServer('caddy', ['run', '--adapter', 'caddyfile', '--config', join(dir, 'Caddyfile')], port, {
      XDG_DATA_HOME: dir,
      XDG_CONFIG_HOME: dir,
      HOME: dir,
    });
  },
};
