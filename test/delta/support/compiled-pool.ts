import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DeltaPart } from '../../../src/delta/delta-part.js';
import type { WorkerPool } from '../../../src/workers/pool.js';
import { projectRoot } from '../../cli/run.js';

interface CompiledPool {
  /** An abort ends the thread of the part in the midst of it. */
  run(part: DeltaPart, signal?: AbortSignal): Promise<void>;
  destroy(): Promise<void>;
}

/** Worker threads that run parts of deltas as compiled code: workers cannot load TypeScript. */
export async function compiledPool(threads: number): Promise<CompiledPool> {
  const module: { WorkerPool: typeof WorkerPool } = await import(
    pathToFileURL(join(projectRoot, 'dist', 'workers', 'pool.js')).href
  );
  const pool = new module.WorkerPool(threads);
  const never = new AbortController().signal;
  return {
    async run(part, signal = never) {
      const progress = new SharedArrayBuffer(8);
      await pool.run({ kind: 'delta-part', path: part.work.base.path, part }, { progress, signal });
    },
    destroy: () => pool.destroy(),
  };
}
