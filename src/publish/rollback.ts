import { UpdateRepositoryError } from '../errors.js';
import type { PublishSummaryEvent } from '../events.js';
import { mediaTypeOf } from './media-type.js';
import { type PublishOptions, publishWhat } from './publish.js';
import { readBytes } from './read-text.js';
import type { Release, ReleaseObject } from './release.js';
import { bytesObject } from './release.js';
import type { Remote } from './remote.js';
import { copyPath, type Generation, type PublishedFile } from './remote-state.js';
import type { Storage, StorageCall } from './storage.js';

/** Above the index of the largest mirror that could be served, and bounded. */
const MAX_INDEX_BYTES = 64 << 20;

/**
 * Publishes the generation before the last one again, as a new one. Its files have to be there still, and what lasts of
 * the last one stays.
 *
 * @throws UpdateRepositoryError CONFIG where there is none, VERIFICATION where something of it is gone; as publish
 */
export async function rollBack(options: PublishOptions): Promise<PublishSummaryEvent> {
  return await publishWhat((remote, call) => releaseBefore(options.storage, remote, call), options);
}

async function releaseBefore(storage: Storage, { listed, state }: Remote, call: StorageCall): Promise<Release> {
  const generation = state.generations[1];
  if (generation === undefined) {
    throw new UpdateRepositoryError('CONFIG', `${storage.name}: expected a generation to go back to, found none`, {
      data: { storage: storage.name },
    });
  }
  // It may have been stored again since, with the same bytes.
  const known = new Set(state.generations.flatMap(({ immutables }) => immutables.map(keyOf)));
  for (const file of generation.immutables) {
    const revision = listed.get(file.path)?.revision;
    if (revision === undefined || !known.has(keyOf({ ...file, revision }))) throw gone(storage, generation, file);
  }
  const indexes: ReleaseObject[] = [];
  for (const file of generation.indexes) indexes.push(await indexOf(storage, generation, file, call));
  const lasting = (state.generations[0]?.immutables ?? []).filter(
    (file) => file.lasting === true && listed.has(file.path),
  );
  const isLasting = ({ path }: PublishedFile) => lasting.some((file) => file.path === path);
  return {
    immutables: generation.immutables.filter((file) => !isLasting(file)).map(immutableOf),
    lateImmutables: lasting.map(immutableOf),
    indexStages: stagesOf(indexes),
  };
}

/** One index after the other, each together with what has its name and a suffix, such as its signatures. */
function stagesOf(indexes: readonly ReleaseObject[]): ReleaseObject[][] {
  const stages: [ReleaseObject, ...ReleaseObject[]][] = [];
  for (const index of indexes) {
    const last = stages.at(-1);
    if (last !== undefined && index.path.startsWith(`${last[0].path}.`)) last.push(index);
    else stages.push([index]);
  }
  return stages;
}

async function indexOf(
  storage: Storage,
  generation: Generation,
  file: PublishedFile,
  call: StorageCall,
): Promise<ReleaseObject> {
  const bytes = await readBytes(storage, copyPath(file.sha256), MAX_INDEX_BYTES, call);
  const index = bytesObject(file.path, bytes ?? new Uint8Array(), mediaTypeOf(file.path));
  if (bytes === null || index.sha256 !== file.sha256) throw gone(storage, generation, file);
  return index;
}

function keyOf({ path, sha256, revision }: PublishedFile): string {
  return `${sha256} ${revision} ${path}`;
}

/** It is there: nobody asks for its bytes. */
function immutableOf({ path, size, sha256 }: PublishedFile): ReleaseObject {
  const content = { kind: 'bytes', bytes: new Uint8Array() } as const;
  return { path, sizeBytes: size, sha256, mediaType: mediaTypeOf(path), content };
}

function gone({ name }: Storage, { number }: Generation, { path }: PublishedFile): UpdateRepositoryError {
  const message = `${name}/${path}: expected it as generation ${number} has it, found it gone or changed`;
  return new UpdateRepositoryError('VERIFICATION', message, {
    data: { storage: name, path, generation: number },
    hint: 'publish a mirror that has it',
  });
}
