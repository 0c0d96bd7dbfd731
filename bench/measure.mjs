// What a command costs: the processor time of all its processes, the wall clock, and memory in two ways.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * `peakRssBytes` is that of the largest process.
 * @typedef {{cpuSeconds: number, wallSeconds: number, peakRssBytes: number}} Cost
 */

/**
 * `peakSumBytes` is the memory of all processes at once, sampled and thus a lower bound, counting pages that processes
 * share once for each.
 * @typedef {Cost & {peakSumBytes: number}} SampledCost
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
export function measure(command, args) {
  return timed(command, args, (child) => child);
}

/**
 * The same, with the memory of all processes: looking at them takes a little of the processor.
 * @param {string} command
 * @param {readonly string[]} args
 * @returns {Promise<SampledCost>}
 */
export async function measureSampled(command, args) {
  let peakSumBytes = 0;
  const cost = await timed(command, args, (child) => {
    const sampler = setInterval(() => {
      peakSumBytes = Math.max(peakSumBytes, residentBytes(child.pid ?? -1));
    }, sampleEveryMs);
    child.on('close', () => clearInterval(sampler));
  });
  return { ...cost, peakSumBytes };
}

/**
 * What steps cost that run one after the other.
 * @param {readonly Cost[]} costs
 * @returns {Cost}
 */
export function sumCost(costs) {
  return {
    cpuSeconds: costs.reduce((total, cost) => total + cost.cpuSeconds, 0),
    wallSeconds: costs.reduce((total, cost) => total + cost.wallSeconds, 0),
    peakRssBytes: Math.max(...costs.map((cost) => cost.peakRssBytes)),
  };
}

/**
 * The median of each figure.
 * @param {readonly Cost[]} costs
 * @returns {Cost}
 */
export function medianCost(costs) {
  return {
    cpuSeconds: median(costs.map((cost) => cost.cpuSeconds)),
    wallSeconds: median(costs.map((cost) => cost.wallSeconds)),
    peakRssBytes: median(costs.map((cost) => cost.peakRssBytes)),
  };
}

/**
 * The same, of sampled costs.
 * @param {readonly SampledCost[]} costs
 * @returns {SampledCost}
 */
export function medianSampledCost(costs) {
  return { ...medianCost(costs), peakSumBytes: median(costs.map((cost) => cost.peakSumBytes)) };
}

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (Number(sorted[Math.floor(middle)]) + Number(sorted[Math.ceil(middle)])) / 2;
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {(child: import('node:child_process').ChildProcess) => void} watch
 * @returns {Promise<Cost>}
 */
async function timed(command, args, watch) {
  if (!existsSync(timeTool)) throw new Error(`${timeTool} is missing: install GNU time (Debian: time)`);
  const folder = mkdtempSync(join(tmpdir(), 'update-repository-time-'));
  try {
    const report = join(folder, 'report');
    await runToEnd([timeTool, '-o', report, '-f', '%U %S %e %M', command, ...args], watch);
    const [user, system, wall, rssKib] = readFileSync(report, 'utf8').trim().split(' ').map(Number);
    return {
      cpuSeconds: Number(user) + Number(system),
      wallSeconds: Number(wall),
      peakRssBytes: Number(rssKib) * 1024,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * @param {readonly string[]} line
 * @param {(child: import('node:child_process').ChildProcess) => void} watch
 * @returns {Promise<void>}
 */
function runToEnd([command = '', ...args], watch) {
  return new Promise((resolve, reject) => {
    // Its own session, so that all that it starts can be told from the rest of the machine.
    const child = spawn(command, args, { detached: true, stdio: ['ignore', 'ignore', 'inherit'], env: environment() });
    watch(child);
    // A session of its own is also deaf to the Ctrl-C of ours.
    const stop = () => process.kill(-(child.pid ?? 0), 'SIGTERM');
    process.once('SIGINT', stop);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      process.off('SIGINT', stop);
      if (code === 0) resolve();
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

/**
 * Where NODE_EXTRA_CA_CERTS is set, Node reads a whole bundle of certificates each time it starts, which takes longer than all
 * else that it does then, network or not.
 */
function environment() {
  const { NODE_EXTRA_CA_CERTS: _, ...rest } = process.env;
  return rest;
}
