import { execFile } from 'node:child_process';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pathOfTool, type Skippable, skipLoudly } from '../support/tools.js';

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL('trixie-root.sh', import.meta.url));
const FETCH_MS = 240_000;

/** What Debian's tools need to run in a root of their own, of a user who may change roots. */
const TOOLS = ['apt-get', 'dpkg-deb', 'unshare', 'chroot', 'cp'];

let made: Promise<string> | undefined;

/**
 * Puts a root with systemd-sysupdate of Debian trixie into `folder`, for one test to change. What it is made of is fetched
 * once and stays below the system's folder for temporary files. Where that cannot be had the test is skipped, loudly.
 */
export async function copyTrixieRoot(context: Skippable, folder: string): Promise<string> {
  const missing = TOOLS.filter((name) => pathOfTool(name) === undefined);
  if (missing.length > 0) skipLoudly(context, `${missing.join(', ')} not installed`);
  const { uid } = userInfo();
  if (uid !== 0) skipLoudly(context, 'only root may change roots');
  made ??= makeRoot(join(tmpdir(), `update-repository-trixie-${uid}`));
  const root = join(folder, 'root');
  try {
    await run('cp', ['--archive', '--link', await made, root]);
  } catch (error) {
    skipLoudly(context, `no root of Debian trixie: ${error instanceof Error ? error.message : error}`);
  }
  return root;
}

/** What came of a program in a root of its own. */
export interface Ran {
  readonly code: number;
  /** What it said, stdout and stderr. */
  readonly said: string;
}

/** Runs a program of a root, with /proc and the machine's network, and nothing else of the machine. */
export async function runInRoot(root: string, ...command: readonly string[]): Promise<Ran> {
  const enter = 'mount -t proc proc "$1/proc" && exec chroot "$@"';
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' };
  const options = { env, timeout: 60_000, killSignal: 'SIGKILL' } as const;
  try {
    const { stdout, stderr } = await run('unshare', ['--mount', 'sh', '-c', enter, 'sh', root, ...command], options);
    return { code: 0, said: stdout + stderr };
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: unknown; stdout?: string; stderr?: string };
    if (typeof code !== 'number') throw error;
    return { code, said: stdout + stderr };
  }
}

async function makeRoot(folder: string): Promise<string> {
  await run('sh', [SCRIPT, folder], { cwd: dirname(SCRIPT), timeout: FETCH_MS });
  return join(folder, 'root');
}
