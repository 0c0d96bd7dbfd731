import { hasCode } from '../errors.js';
import { JsSignatureEngine } from './js-signature-engine.js';
import type { SignatureEngine, SignatureEngineChoice } from './signature-engine.js';
import { WasmSignatureEngine } from './wasm-signature-engine.js';

/** @throws UpdateRepositoryError CONFIG when WebAssembly is asked for and cannot be had */
export function chooseSignatureEngine(choice: SignatureEngineChoice): SignatureEngine {
  if (choice === 'js') return new JsSignatureEngine();
  try {
    return new WasmSignatureEngine();
  } catch (error) {
    // Slower, but with the same bytes.
    if (choice === 'auto' && hasCode(error, 'CONFIG')) return new JsSignatureEngine();
    throw error;
  }
}
