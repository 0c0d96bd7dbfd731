import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../peers/server-process.mjs';

const peers = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'peers');

/** A server on loopback that a test has started. */
export interface Peer {
  readonly port: number;
  end(): Promise<void>;
}

/** A real sshd; with `command` its key may do nothing else. `ssh` is the command that gets in, for RSYNC_RSH. */
export async function startSshd(dir: string, command = ''): Promise<Peer & { readonly ssh: string }> {
  const peer = await start('sshd.sh', dir, command);
  return { ...peer, ssh: `ssh -F ${join(dir, 'client')} -p ${peer.port}` };
}

/** A real rsync daemon; its module `mirror` is the directory of that name in `dir`. */
export async function startRsyncd(dir: string, ...settings: string[]): Promise<Peer> {
  return await start('rsyncd.sh', dir, ...settings);
}

async function start(script: string, dir: string, ...args: string[]): Promise<Peer> {
  const port = await freePort();
  const child = spawn('bash', [join(peers, script), dir, String(port), ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await untilItListens(child, script, port);
  return {
    port,
    end: async () => {
      const ended = child.exitCode === null ? once(child, 'exit') : Promise.resolve();
      child.kill();
      await ended;
    },
  };
}

async function untilItListens(child: ChildProcess, script: string, port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (child.exitCode !== null) break;
    if (await accepts(port)) return;
    await sleep(50);
  }
  child.kill();
  throw new Error(`${script}: nothing listens on port ${port}`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const answer = (yes: boolean) => {
      socket.destroy();
      resolve(yes);
    };
    socket.on('connect', () => answer(true)).on('error', () => answer(false));
  });
}
