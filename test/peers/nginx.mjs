// nginx as the tests use it: in the foreground, all of its state below one directory, modules from where Debian has them.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, startServer } from './server-process.mjs';

/** Where Debian's libnginx-mod-http-dav-ext puts PROPFIND. */
export const NGINX_DAV_EXT = '/usr/lib/nginx/modules/ngx_http_dav_ext_module.so';

/**
 * A nginx that takes WebDAV for the directory `www` below `dir`.
 *
 * @param {string} dir
 * @param {{ methods: string, propfind: boolean, autoindex: boolean }} powers `methods` are for `dav_methods`
 */
export async function startDavNginx(dir, { methods, propfind, autoindex }) {
  const port = await freePort();
  const root = join(dir, 'www');
  mkdirSync(root, { recursive: true });
  const server = `
  ${propfind ? 'dav_ext_lock_zone zone=locks:1m timeout=10m;' : ''}
  server {
    listen 127.0.0.1:${port};
    root ${root};
    client_max_body_size 0;
    client_body_temp_path ${join(dir, 'bodies')};
    location / {
      dav_methods ${methods};
      ${propfind ? 'dav_ext_methods PROPFIND OPTIONS LOCK UNLOCK; dav_ext_lock zone=locks;' : ''}
      ${autoindex ? 'autoindex on; autoindex_format json;' : ''}
    }
  }`;
  const stop = await startNginx(dir, port, server, propfind ? [NGINX_DAV_EXT] : []);
  return { url: `http://127.0.0.1:${port}`, root, stop };
}

/** A nginx that serves the directory `www` below `dir` and takes nothing. @param {string} dir */
export async function startStaticNginx(dir) {
  const port = await freePort();
  const root = join(dir, 'www');
  mkdirSync(root, { recursive: true });
  const server = `
  server {
    listen 127.0.0.1:${port};
    root ${root};
  }`;
  return { url: `http://127.0.0.1:${port}`, root, stop: await startNginx(dir, port, server) };
}

/**
 * A nginx with the `http` configuration that is given, listening on `port`.
 *
 * @param {string} dir
 * @param {number} port
 * @param {string} http
 * @param {readonly string[]} modules
 */
export async function startNginx(dir, port, http, modules = []) {
  const config = join(dir, 'nginx.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const text = `${modules.map((path) => `load_module ${path};`).join('\n')}
daemon off;
pid ${join(dir, 'nginx.pid')};
error_log stderr;
worker_processes 1;
${process.getuid?.() === 0 ? 'user root;' : ''}
events {}
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${join(dir, 'tmp', name)};`).join('\n  ')}
${http}
}
`;
  mkdirSync(join(dir, 'tmp'), { recursive: true });
  writeFileSync(config, text);
  return await startServer('nginx', ['-p', dir, '-c', config], port);
}
