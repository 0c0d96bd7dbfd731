import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { applyDelta } from '../../../src/delta/apply.js';
import {
  type DeltaEffort,
  type DeltaStatistics,
  type EngineTuning,
  generateDelta,
} from '../../../src/delta/generate.js';

let files = 0;
/** Files are used again after so many deltas: long runs would fill the disk. */
const FILES_KEPT = 64;

/** A delta between two texts, made by the engine through files in `dir`. */
export interface MadeDelta {
  readonly delta: Buffer;
  readonly statistics: DeltaStatistics;
  readonly basePath: string;
  readonly targetPath: string;
  readonly deltaPath: string;
}

export function makeDelta(
  dir: string,
  base: Uint8Array,
  target: Uint8Array,
  effort: DeltaEffort = 'normal',
  tuning: Partial<EngineTuning> = {},
): MadeDelta {
  files += 1;
  const [basePath, targetPath, deltaPath] = ['base', 'target', 'delta'].map((name) =>
    join(dir, `${name}-${files % FILES_KEPT}`),
  );
  if (basePath === undefined || targetPath === undefined || deltaPath === undefined) throw new Error('three paths');
  writeFileSync(basePath, base);
  writeFileSync(targetPath, target);
  rmSync(deltaPath, { force: true });
  const statistics = generateDelta({ basePath, targetPath, deltaPath, effort }, {}, tuning);
  return { delta: readFileSync(deltaPath), statistics, basePath, targetPath, deltaPath };
}

/** What a delta makes of a base, collected in memory. */
export function applied(basePath: string, deltaPath: string, targetBytes: number): Buffer {
  const pieces: Buffer[] = [];
  applyDelta({ basePath, deltaPath, targetBytes }, (bytes) => {
    pieces.push(Buffer.from(bytes));
  });
  return Buffer.concat(pieces);
}
