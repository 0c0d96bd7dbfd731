// Apache as the tests use it: in the foreground, all of its state below one directory, modules from where Debian has
// them. Started by root it serves as nobody: it refuses to serve as root.
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, startServer } from './server-process.mjs';

const MODULES_DIR = '/usr/lib/apache2/modules';
const NOBODY = 65534;

/** An Apache with mod_dav for the directory `www` below `dir`. @param {string} dir */
export async function startDavApache(dir) {
  const port = await freePort();
  const root = join(dir, 'www');
  mkdirSync(root, { recursive: true });
  if (process.getuid?.() === 0) chownSync(root, NOBODY, NOBODY);
  const config = `
Listen 127.0.0.1:${port}
DocumentRoot ${root}
DavLockDB ${join(root, '.locks')}
<Directory ${root}>
  Dav On
  Require all granted
</Directory>`;
  const stop = await startApache(dir, port, config, ['authz_core', 'dav', 'dav_fs']);
  return { url: `http://127.0.0.1:${port}`, root, stop };
}

/**
 * An Apache with the configuration and the modules that are given, listening on `port`.
 *
 * @param {string} dir
 * @param {number} port
 * @param {string} text
 * @param {readonly string[]} modules
 */
export async function startApache(dir, port, text, modules) {
  const config = join(dir, 'apache.conf');
  const loaded = ['mpm_event', ...modules].map((name) => `LoadModule ${name}_module ${MODULES_DIR}/mod_${name}.so`);
  const isRoot = process.getuid?.() === 0;
  if (isRoot) chmodSync(dir, 0o711);
  writeFileSync(
    config,
    `ServerRoot ${dir}
ServerName localhost
PidFile ${join(dir, 'apache.pid')}
DefaultRuntimeDir ${dir}
ErrorLog ${join(dir, 'apache.log')}
${loaded.join('\n')}
${isRoot ? 'User nobody\nGroup nogroup' : ''}
${text}
`,
  );
  return await startServer('apache2', ['-f', config, '-DFOREGROUND'], port);
}
