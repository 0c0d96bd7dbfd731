// What a command costs: the processor time of all its processes, the wall clock, and memory in two ways.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * `peakRssBytes` is that of the largest process; `peakSumBytes` of all at once, sampled and thus a lower bound, counting
 * pages that processes share once for each.
 * @typedef {{cpuSeconds: number, wallSeconds: number, peakRssBytes: number, peakSumBytes: number}} Cost
 */

const timeTool = '/usr/bin/time';
const sampleEveryMs = 50;

/**
 * Runs a command to its end and says what it cost. GNU time sums up the processor time of everything that the command
 * started and waited for. Throws when the command fails.
 * @param {string} command
 * @param {readonly string[]} args
 * @returns {Promise<Cost>}
 */
export async function measure(command, args) {
  if (!existsSync(timeTool)) throw new Error(`${timeTool} is missing: install GNU time (Debian: time)`);
  const folder = mkdtempSync(join(tmpdir(), 'update-repository-time-'));
  try {
    const report = join(folder, 'report');
    const peakSumBytes = await runSampled(timeTool, ['-o', report, '-f', '%U %S %e %M', command, ...args]);
    const [user, system, wall, rssKib] = readFileSync(report, 'utf8').trim().split(' ').map(Number);
    return {
      cpuSeconds: Number(user) + Number(system),
      wallSeconds: Number(wall),
      peakRssBytes: Number(rssKib) * 1024,
      peakSumBytes,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * The median of each figure.
 * @param {readonly Cost[]} costs
 * @returns {Cost}
 */
export function medianCost(costs) {
  const median = (/** @type {keyof Cost} */ figure) => {
    const sorted = costs.map((cost) => cost[figure]).sort((a, b) => a - b);
    const middle = (sorted.length - 1) / 2;
    return (Number(sorted[Math.floor(middle)]) + Number(sorted[Math.ceil(middle)])) / 2;
  };
  return {
    cpuSeconds: median('cpuSeconds'),
    wallSeconds: median('wallSeconds'),
    peakRssBytes: median('peakRssBytes'),
    peakSumBytes: median('peakSumBytes'),
  };
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @returns {Promise<number>} bytes
 */
function runSampled(command, args) {
  return new Promise((resolve, reject) => {
    // Its own session, so that all that it starts can be told from the rest of the machine.
    const child = spawn(command, args, { detached: true, stdio: ['ignore', 'ignore', 'inherit'] });
    let peak = 0;
    const sampler = setInterval(() => {
      peak = Math.max(peak, residentBytes(child.pid ?? -1));
    }, sampleEveryMs);
    // A session of its own is also deaf to the Ctrl-C of ours.
    const stop = () => process.kill(-(child.pid ?? 0), 'SIGTERM');
    process.once('SIGINT', stop);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearInterval(sampler);
      process.off('SIGINT', stop);
      if (code === 0) resolve(peak);
      else reject(new Error(`${args.slice(4).join(' ')}: expected exit code 0, found ${signal ?? code}`));
    });
  });
}

/**
 * The resident memory of all processes of a session.
 * @param {number} session
 */
function residentBytes(session) {
  let bytes = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const status = statusOf(pid);
    const isOfSession = Number(/^NSsid:\t(\d+)/m.exec(status)?.[1]) === session;
    if (isOfSession) bytes += Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  }
  return bytes;
}

/**
 * What proc(5) tells of a process.
 * @param {string} pid
 */
function statusOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return ''; // it ended since the listing
  }
}
