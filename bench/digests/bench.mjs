// `npm run bench -- digests FILE`: all digests of one reading, against the two that node:crypto has alone.
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { machineLine } from '../machine.mjs';
import { median } from '../measure.mjs';
import { megabytes } from '../table.mjs';

const child = join(dirname(fileURLToPath(import.meta.url)), 'digest-once.mjs');

/**
 * Reads `file` both ways in turn, `runs` times, each time in a process of its own.
 * @param {{file: string, runs: number}} request
 * @param {import('../report.mjs').Say} say
 */
export function benchDigests({ file, runs }, say) {
  execFileSync('cat', [file], { stdio: ['ignore', 'ignore', 'inherit'] });
  const cpu = { three: /** @type {number[]} */ ([]), two: /** @type {number[]} */ ([]) };
  for (let run = 1; run <= runs; run++) {
    console.error(`digests: run ${run} of ${runs}`);
    cpu.two.push(cpuSeconds('two', file));
    cpu.three.push(cpuSeconds('three', file));
  }
  const figures = {
    bench: 'digests',
    machine: machineLine(),
    file: basename(file),
    sizeBytes: statSync(file).size,
    runs,
    threeCpuSeconds: median(cpu.three),
    twoCpuSeconds: median(cpu.two),
  };
  say(digestsBlock(figures));
  return figures;
}

/**
 * @param {'two' | 'three'} which
 * @param {string} file
 */
function cpuSeconds(which, file) {
  return Number(execFileSync(process.execPath, [child, which, file], { encoding: 'utf8' }));
}

/**
 * @param {{file: string, sizeBytes: number, runs: number, threeCpuSeconds: number, twoCpuSeconds: number}} figures
 * @returns {import('../report.mjs').Block}
 */
function digestsBlock({ file, sizeBytes, runs, threeCpuSeconds, twoCpuSeconds }) {
  const row = (/** @type {string} */ label, /** @type {number} */ cpu) => [
    label,
    `${cpu.toFixed(3)} s`,
    `${(sizeBytes / 1e6 / cpu).toFixed(0)} MB/s`,
    (cpu / twoCpuSeconds).toFixed(3),
  ];
  return {
    title: `Digests of ${file} (${megabytes(sizeBytes)}), without the start of Node`,
    notes: [runs === 1 ? 'one run' : `medians of ${runs} runs`],
    rows: [
      ['', 'CPU', 'rate', 'against node:crypto'],
      row('sha256 and sha512 by node:crypto, one reading', twoCpuSeconds),
      row('ours: POSIX cksum, sha256 and sha512, one reading', threeCpuSeconds),
    ],
  };
}
