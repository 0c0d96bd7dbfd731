import { UpdateRepositoryError } from '../errors.js';
import type { DeltaEngine, EngineTuning } from './engine.js';
import { JsEngine } from './js-engine.js';
import type { DeltaParameters } from './parameters.js';
import type { SourceFile } from './source-file.js';
import { borrowWasmCore, type WasmCore } from './wasm-core.js';
import { WasmEngine } from './wasm-engine.js';

/**
 * The engine for one delta from `base`.
 *
 * @throws UpdateRepositoryError MEMORY, or CONFIG when WebAssembly is asked for and cannot be had
 */
export function chooseEngine(
  base: SourceFile,
  targetBytes: number,
  parameters: DeltaParameters,
  tuning: EngineTuning,
): DeltaEngine {
  const core = coreFor(tuning);
  if (core === undefined) return new JsEngine(base, targetBytes, parameters, tuning);
  return new WasmEngine(core, base, parameters, tuning);
}

function coreFor({ engine }: EngineTuning): WasmCore | undefined {
  if (engine === 'js') return undefined;
  try {
    return borrowWasmCore();
  } catch (error) {
    // Slower, but with the same bytes.
    if (engine === 'auto' && error instanceof UpdateRepositoryError && error.code === 'CONFIG') return undefined;
    throw error;
  }
}
