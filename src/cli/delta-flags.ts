import { Option } from 'commander';
import type { DeltaEffort, EngineChoice } from '../delta/generate.js';

/** What the options on the making of deltas leave in commander's hands. */
export interface DeltaFlags {
  readonly deltaEffort?: DeltaEffort;
  readonly engine: EngineChoice;
}

/** The options `--delta-effort` and `--engine`. */
export function deltaOptions(): Option[] {
  return [
    new Option(
      '--delta-effort <effort>',
      'how hard to search for matches (default: fast between squashfs images, else normal)',
    ).choices(['fast', 'normal', 'max']),
    new Option('--engine <engine>', 'what makes deltas; the bytes are the same')
      .choices(['auto', 'wasm', 'js'])
      .default('auto'),
  ];
}
