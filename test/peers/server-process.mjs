// What all servers of the tests have in common: free ports, a process that is waited for, and its end by its id.
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** Of /proc/sys/net/ipv4/ip_local_port_range, unless somebody changed it. */
const FIRST_HANDED_OUT = 32_768;
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;

/**
 * A port of loopback that nobody listens on. It is none of those that the kernel hands out: whoever is to listen there may
 * take its time.
 *
 * @returns {Promise<number>}
 */
export async function freePort() {
  for (;;) {
    const port = randomInt(10_240, FIRST_HANDED_OUT);
    if (await isFree(port)) return port;
  }
}

/** @param {number} port */
async function isFree(port) {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    return true;
  } catch {
    return false;
  }
}

/**
 * Starts a server in the foreground and waits until it takes connections on `port`. The answer stops it.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {number} port
 * @param {Readonly<Record<string, string>>} environment what is added to the environment
 * @returns {Promise<() => Promise<void>>}
 */
export async function startServer(command, args, port, environment = {}) {
  const env = { ...process.env, ...environment };
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], env });
  let said = '';
  child.stderr.on('data', (data) => {
    said = `${said}${data}`.slice(-4000);
  });
  const exited = once(child, 'exit');
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await takesConnections(port))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`${command}: does not listen on port ${port}: ${said}`);
    }
    await wait(50);
  }
  if (child.exitCode !== null) throw new Error(`${command}: ended at once: ${said}`);
  return async () => {
    child.kill('SIGTERM');
    const timeout = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(timeout);
  };
}

/** @param {number} port */
async function takesConnections(port) {
  const socket = createConnection(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
