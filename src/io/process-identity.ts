import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Who runs: enough to tell later whether that process is still there. Null where the system does not say. */
export interface ProcessIdentity {
  readonly host: string;
  readonly bootId: string | null;
  readonly pidNamespace: string | null;
  readonly pid: number;
  /** Clock ticks after boot, field 22 of /proc/PID/stat (proc(5)). */
  readonly startTicks: string | null;
}

export function ownIdentity(): ProcessIdentity {
  return {
    host: hostname(),
    bootId: readOrNull(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    pidNamespace: readOrNull(() => readlinkSync('/proc/self/ns/pid')),
    pid: process.pid,
    startTicks: startTicksOf(process.pid),
  };
}

/**
 * Whether the process of `other` still runs. `unknown` when this process cannot see it: another host, or another
 * container of this one.
 */
export function livenessOf(other: ProcessIdentity, own: ProcessIdentity = ownIdentity()): 'alive' | 'dead' | 'unknown' {
  if (other.host !== own.host) return 'unknown';
  if (other.bootId !== own.bootId) return other.bootId === null || own.bootId === null ? 'unknown' : 'dead';
  if (other.pidNamespace !== own.pidNamespace) return 'unknown';
  if (other.startTicks !== null) return startTicksOf(other.pid) === other.startTicks ? 'alive' : 'dead';
  return answersSignals(other.pid) ? 'alive' : 'dead';
}

function startTicksOf(pid: number): string | null {
  return readOrNull(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses and may hold anything; the third is the process state.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const isZombie = fields[0] === 'Z' || fields[0] === 'X';
    return isZombie ? null : (fields[19] ?? null);
  });
}

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there and belongs to somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function readOrNull(read: () => string | null): string | null {
  try {
    return read();
  } catch {
    return null;
  }
}
