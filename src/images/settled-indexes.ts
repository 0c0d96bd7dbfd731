import { isDeepStrictEqual } from 'node:util';
import { readFrom } from '../trust/tuf/metadata-directory.js';
import { readChannelFiles, wantedChannels } from './channel-files.js';
import { readIndexTexts } from './disk-indexes.js';
import { readSignatures } from './list-signatures.js';
import { namedChannels } from './metadata-claims.js';
import type { MirrorState } from './state.js';
import { identify } from './survey.js';

/** The indexes of a mirror, and what lies beside them. */
export interface SettledIndexes {
  /** By path, with the files of the channels that the mirror remembers. */
  readonly texts: ReadonlyMap<string, string>;
  /** The key of the mirror and the signatures beside its lists, by path. */
  readonly signatures: ReadonlyMap<string, Uint8Array>;
  /** A build was at it, and may have been killed over it. */
  readonly interrupted: boolean;
}

/**
 * Reads the indexes of a mirror. While a build rewrites them they belong to two moments: they are read until two readings
 * agree.
 */
export async function readSettledIndexes(mirrorDir: string, state: MirrorState): Promise<SettledIndexes> {
  const read = async (): Promise<SettledIndexes> => {
    const channels = await wantedChannels({ state });
    const files = await readChannelFiles({ mirrorDir }, channels.keys());
    const texts = new Map([...(await readIndexTexts(mirrorDir)), ...files]);
    const signatures = await readSignatures({ mirrorDir }, texts.keys());
    return { texts, signatures, interrupted: (await identify(state.publishingPath)) !== null };
  };
  let last = await read();
  for (let reading = 0; reading < 10; reading++) {
    const again = await read();
    if (isDeepStrictEqual(again, last)) break;
    last = again;
  }
  return last;
}

/** The same with the channels that the metadata names: a copy of a mirror has them, and none that it remembers. */
export async function readPublishedIndexes(mirrorDir: string, state: MirrorState): Promise<SettledIndexes> {
  const settled = await readSettledIndexes(mirrorDir, state);
  const named = await namedChannels(readFrom(mirrorDir));
  return { ...settled, texts: new Map([...settled.texts, ...(await readChannelFiles({ mirrorDir }, named))]) };
}
