import { makeBreather } from './breather.js';
import { CommandList } from './command-list.js';
import { type DeltaBounds, DeltaDecoder } from './decode.js';
import { type DeltaHooks, reportProgress } from './hooks.js';
import type { SourceFile } from './source-file.js';

const CHUNK_BYTES = 262144;

/** How a delta is listed. */
export interface ListRequest extends Omit<DeltaBounds, 'name'> {
  /** What the list may take, at 16 bytes a command. */
  readonly memoryBytes: number;
}

/**
 * Reads a delta once and lists its commands. Progress counts bytes of the delta. Lets the event loop run now and then.
 *
 * @throws UpdateRepositoryError FORMAT for a delta that is malformed or breaks the bounds; MEMORY, CHANGED_WHILE_READ,
 * INTERRUPTED, IO
 */
export async function listCommands(
  delta: SourceFile,
  { memoryBytes, ...bounds }: ListRequest,
  hooks: DeltaHooks = {},
): Promise<CommandList> {
  const breathe = makeBreather();
  const commands = new CommandList(delta.path, memoryBytes);
  const decoder = new DeltaDecoder({ name: delta.path, ...bounds }, commands);
  for (const chunk of delta.chunks(CHUNK_BYTES)) {
    decoder.push(chunk);
    commands.pieceOffset += chunk.length;
    reportProgress(commands.pieceOffset, delta.path, hooks);
    await breathe();
  }
  decoder.finish();
  return commands;
}
