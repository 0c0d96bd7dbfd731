import type { RsyncAddress } from './address.js';
import { type RsyncEnd, type RsyncRun, runRsync } from './run.js';

/**
 * Where rsync keeps what a cut transfer has sent: a directory of its own beside each object, for rsync makes no more than
 * one level of it.
 */
export const PARTIAL_DIR = '.update-repository-partial';

/** No prompt: whoever publishes from a timer could not answer it. */
const SSH = 'ssh -oBatchMode=yes';
/** Longer than any side needs to read the largest image, for that is when nothing is sent. */
const SILENCE_SECONDS = 600;
const CONNECT_SECONDS = 30;

const COMMON = [
  '--8-bit-output',
  '--no-human-readable',
  '--no-motd',
  // Without a buffer its next word to a publisher that was killed is its last; with one it would go on alone.
  '--outbuf=N',
  '--no-implied-dirs',
  '--from0',
  '--files-from=-',
  `--timeout=${SILENCE_SECONDS}`,
];

const STORE = [
  // What is there is taken for other bytes whatever its size and time; what of it is the same need not be sent.
  '--ignore-times',
  '--copy-links',
  '--times',
  '--omit-dir-times',
  '--perms',
  '--chmod=D755,F644',
  `--partial-dir=${PARTIAL_DIR}`,
];

/** Of rsync 3.2.3 and 3.2.4: what is stored is on the disk, and directories above the root are made. */
const MODERN = ['--fsync', '--mkpath'];

/** What one transfer is to do. */
export interface Transfer {
  /** Relative to both sides. */
  readonly names: readonly string[];
  readonly signal: AbortSignal;
  readonly onLine?: (line: string) => void;
}

/** The rsync of this machine, talking to the one at an address. */
export class RemoteRsync {
  readonly #name: string;
  readonly #remote: string;
  /** Where it fetches from, and what is put before each name. */
  readonly #origin: { readonly remote: string; readonly prefix: string };
  readonly #connect: readonly string[];
  #modern = true;

  constructor({ name, remote, sshPort, inModule }: RsyncAddress) {
    this.#name = name;
    // The daemon of rsync 3.5.0 takes listed files for vanished that are below anything but the module itself.
    this.#origin =
      inModule === undefined ? { remote, prefix: '' } : { remote: inModule.root, prefix: `${inModule.path}/./` };
    this.#remote = remote;
    this.#connect = remote.startsWith('rsync://') ? [`--contimeout=${CONNECT_SECONDS}`] : shellOptions(sshPort);
  }

  /** For messages on objects: the address of the only one, or of what they are in. */
  nameOf(paths: readonly string[]): string {
    return paths.length === 1 ? `${this.#name}/${paths[0]}` : this.#name;
  }

  /** Fetches from there, or with `--list-only` lists; what is not there is left out. */
  async fetch(options: readonly string[], target: string, transfer: Transfer): Promise<RsyncEnd> {
    const { remote, prefix } = this.#origin;
    const names = transfer.names.map((name) => `${prefix}${name}`);
    return await this.#run([...options, '--ignore-missing-args'], [remote, target], { ...transfer, names });
  }

  /** Compares or removes. */
  async push(options: readonly string[], source: string, transfer: Transfer): Promise<RsyncEnd> {
    return await this.#run(options, [source, this.#remote], transfer);
  }

  /** Stores; directories that are named are made with the right mode. */
  async store(options: readonly string[], source: string, transfer: Transfer): Promise<RsyncEnd> {
    const plain = [...STORE, ...options];
    const end = await this.push(this.#modern ? [...plain, ...MODERN] : plain, source, transfer);
    if (!this.#modern || end.code === 0 || !/--(?:fsync|mkpath)\b/.test(end.complaints)) return end;
    this.#modern = false;
    return await this.push(plain, source, transfer);
  }

  async #run(options: readonly string[], places: readonly string[], transfer: Transfer): Promise<RsyncEnd> {
    const run: RsyncRun = {
      input: transfer.names.map((name) => `${name}\0`).join(''),
      signal: transfer.signal,
      onLine: transfer.onLine ?? (() => undefined),
    };
    return await runRsync([...this.#connect, ...COMMON, ...options, '--', ...places], run);
  }
}

/** The user's own RSYNC_RSH comes first, as with rsync itself. */
function shellOptions(port: number | undefined): string[] {
  const own = process.env.RSYNC_RSH;
  return [`--rsh=${own === undefined || own === '' ? SSH : own}${port === undefined ? '' : ` -p ${port}`}`];
}
