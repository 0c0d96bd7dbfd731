import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';

/** The machine in one line, for figures mean nothing without it. */
export function machineLine() {
  const memory = `${(totalmem() / 2 ** 30).toFixed(1)} GiB`;
  return `${availableParallelism()} cores, ${memory}, ${processor()}, node ${process.version}, load ${loadAverage()}`;
}

/** As the kernel says it: Node does not know the model of every virtual machine. */
function processor() {
  const known = /^model name\s*:\s*(.+)$/m.exec(readOr('/proc/cpuinfo', ''))?.[1];
  return known ?? cpus()[0]?.model ?? 'unknown processor';
}

/** Other work on the machine spoils wall times, so it is told. */
function loadAverage() {
  return readOr('/proc/loadavg', '?').split(' ')[0];
}

/**
 * @param {string} path
 * @param {string} otherwise
 */
function readOr(path, otherwise) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return otherwise;
  }
}
