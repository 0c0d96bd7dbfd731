// Writes what V8 compiles of the program for a delta and a patch of small files, see bin/load-program.js: what every line goes
// through before its command begins, and what these two commands do then.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { load, writeCaches } from '../bin/load-program.js';

const own = fileURLToPath(import.meta.url);
const args = process.argv.slice(2);
if (args.length > 0) {
  process.on('exit', writeCaches);
  load('main.js');
} else {
  const dir = mkdtempSync(join(tmpdir(), 'update-repository-cache-'));
  const [base, target, delta, patched] = ['base', 'target', 'delta', 'patched'].map((name) => join(dir, name));
  writeFileSync(base, Buffer.alloc(100_000, 'base'));
  writeFileSync(target, Buffer.alloc(100_000, 'target'));
  // Each keeps what all of them need, so the last is the one whose start matters most.
  for (const line of [
    ['delta', base, target, delta],
    ['patch', '--no-sync', base, delta, patched],
  ]) {
    const { status } = spawnSync(process.execPath, [own, '--quiet', ...line], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    if (status !== 0) process.exitCode = status ?? 1;
  }
  rmSync(dir, { recursive: true });
}
