import { UpdateRepositoryError } from '../../errors.js';

/** A directory that rsync reaches. */
export interface RsyncAddress {
  /** For messages, without a slash at its end. */
  readonly name: string;
  /** What rsync is told, with a slash at its end. */
  readonly remote: string;
  /** Where it is in a module of a daemon: `remote` is the module's `root` and this, without slashes around. */
  readonly inModule?: { readonly root: string; readonly path: string };
  /** The port of the ssh server, where it is not for ssh to know. */
  readonly sshPort?: number;
}

interface Parts {
  readonly user: string;
  readonly host: string;
  readonly port: string;
  readonly path: string;
}

const USER = String.raw`(?:(?<user>[^\s@:/-][^\s@:/]*)@)?`;
const HOST = String.raw`(?<host>[\p{L}\p{N}][\p{L}\p{N}._-]*|\[[0-9A-Fa-f:.]+\])`;
const URL_FORM = new RegExp(`^(?<scheme>ssh|rsync)://${USER}${HOST}(?::(?<port>\\d+))?(?:/(?<path>.*))?$`, 'u');
const DAEMON_FORM = new RegExp(`^${USER}${HOST}::(?<path>.*)$`, 'u');
const SHELL_FORM = new RegExp(`^${USER}${HOST}:(?<path>.+)$`, 'u');

/** Characters that no shell on the way makes anything of, whatever rsync is on either side. */
const PLAIN_PATH = /^[\p{L}\p{N}._~/@+,=:-]*$/u;

/**
 * Reads `ssh://[user@]host[:port]/path` (a path that starts with `~/` is below the home directory), `[user@]host:path`,
 * `rsync://[user@]host[:port]/module[/path]` and `[user@]host::module[/path]`; null for a text that is none of them.
 *
 * @throws UpdateRepositoryError USAGE for one with a password, without a module, or with a path that is not plain
 */
export function parseRsyncAddress(target: string): RsyncAddress | null {
  refusePassword(target);
  const url = URL_FORM.exec(target)?.groups;
  if (url?.scheme === 'rsync') return daemonAddress(partsOf(url), target);
  if (url !== undefined) return sshUrlAddress(partsOf(url), target);
  const daemon = DAEMON_FORM.exec(target)?.groups;
  if (daemon !== undefined) return daemonAddress(partsOf(daemon), target);
  const shell = SHELL_FORM.exec(target)?.groups;
  if (shell === undefined || target.includes('://')) return null;
  return shellAddress(partsOf(shell), target);
}

function partsOf({ user, host, port, path }: Record<string, string | undefined>): Parts {
  return { user: user === undefined ? '' : `${user}@`, host: host ?? '', port: port ?? '', path: path ?? '' };
}

function daemonAddress({ user, host, port, path }: Parts, target: string): RsyncAddress {
  requirePlain(path, target);
  const inside = trimmed(path);
  if (inside === '') throw unfit(target, 'the name of a module after the host', 'none');
  const name = `rsync://${user}${host}${port === '' ? '' : `:${port}`}/${inside}`;
  const slash = inside.indexOf('/');
  if (slash < 0) return { name, remote: `${name}/` };
  const rootLength = name.length - inside.length + slash;
  const inModule = { root: `${name.slice(0, rootLength)}/`, path: inside.slice(slash + 1) };
  return { name, remote: `${name}/`, inModule };
}

function sshUrlAddress({ user, host, port, path }: Parts, target: string): RsyncAddress {
  requirePlain(path, target);
  const inside = trimmed(path);
  const name = `ssh://${user}${host}${port === '' ? '' : `:${port}`}${inside === '' ? '' : `/${inside}`}`;
  const onHost = inside.startsWith('~/') ? inside.slice(2) : `/${inside}`;
  requirePlain(onHost, target);
  const remote = `${user}${host}:${onHost.replace(/\/*$/, '/')}`;
  return port === '' ? { name, remote } : { name, remote, sshPort: Number(port) };
}

function shellAddress({ user, host, path }: Parts, target: string): RsyncAddress {
  requirePlain(path, target);
  const remote = `${user}${host}:${path.replace(/\/*$/, '/')}`;
  return { name: remote.slice(0, -1), remote };
}

/** A path without the slashes at both ends. */
function trimmed(path: string): string {
  return path.replace(/^\/+|\/+$/g, '');
}

function requirePlain(path: string, target: string): void {
  if (!PLAIN_PATH.test(path)) throw unfit(target, 'a path of letters, digits and . _ ~ / @ + , = : -', 'others');
  if (path.startsWith('-')) throw unfit(target, 'a path', 'a dash at its start');
  if (path.split('/').includes('..')) throw unfit(target, 'a path without ..', 'one');
}

/** A command line is seen by everybody on the machine, and messages are kept. */
function refusePassword(target: string): void {
  if (!/^(?:ssh|rsync):\/\/[^/]*:[^/]*@/.test(target)) return;
  throw new UpdateRepositoryError('USAGE', 'expected an address without a password, found one with it', {
    hint: 'ssh takes keys from its agent, an rsync daemon takes RSYNC_PASSWORD from the environment',
  });
}

function unfit(target: string, expected: string, found: string): UpdateRepositoryError {
  return new UpdateRepositoryError('USAGE', `${target}: expected ${expected}, found ${found}`, { data: { target } });
}
