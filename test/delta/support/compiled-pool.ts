import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { RunDeltaPart } from '../../../src/delta/delta-base.js';
import type { WorkerPool } from '../../../src/workers/pool.js';
import { projectRoot } from '../../cli/run.js';

/** Worker threads that run parts of deltas as compiled code: workers cannot load TypeScript. */
export async function compiledPool(threads: number): Promise<{ run: RunDeltaPart; destroy(): Promise<void> }> {
  const module: { WorkerPool: typeof WorkerPool } = await import(
    pathToFileURL(join(projectRoot, 'dist', 'workers', 'pool.js')).href
  );
  const pool = new module.WorkerPool(threads);
  const signal = new AbortController().signal;
  return {
    async run(part) {
      const progress = new SharedArrayBuffer(8);
      await pool.run({ kind: 'delta-part', path: part.work.base.path, part }, { progress, signal });
    },
    destroy: () => pool.destroy(),
  };
}
